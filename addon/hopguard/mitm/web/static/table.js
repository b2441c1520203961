// The table of findings. Only the rows that can be seen are in the document.

import { byId, clock, element, flowAddress, FLOW_TAB } from "./dom.js";
import { at } from "./findings.js";

const COLUMNS = [
  ["number", "Time"], ["severity", "Severity"], ["rule", "Rule"], ["sender", "Sender"],
  ["http_version", "Version"], ["field", "Field line"], ["place", "Request and flow"],
  ["action", "Action"],
];
const AROUND = 8; // rows above and below those that can be seen

export class Table {
  #elements = new Map(); // of rows in the document, by number
  #waiting = false;

  /** Show `findings`; `on` holds what to do when a person acts. */
  constructor(findings, on) {
    this.findings = findings;
    this.on = on;
    this.active = null; // number of the row that the keyboard is at
    this.selected = null; // number of the row whose details are shown
    [this.grid, this.view, this.space] = [byId("grid"), byId("rows"), byId("space")];
    byId("head").append(...COLUMNS.map(([key, text]) => this.#heading(key, text)));
    this.view.addEventListener("scroll", () => this.draw(), { passive: true });
    this.view.addEventListener("keydown", (event) => this.#key(event));
    this.view.addEventListener("click", (event) => this.#click(event));
    new ResizeObserver(() => this.draw()).observe(this.view);
  }

  #heading(key, text) {
    const button = element("button", { on: { click: () => this.on.sort(key) } }, text);
    return element("div", { role: "columnheader", class: `cell col-${key}`, "data-key": key }, button);
  }

  get #height() {
    return parseFloat(getComputedStyle(this.grid).getPropertyValue("--row")) || 34;
  }

  /** Draw again soon; `added` rows have come on top, and what is read shall stay where it is. */
  draw(added = 0) {
    if (added && this.view.scrollTop > 0) this.view.scrollTop += added * this.#height;
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#draw();
    });
  }

  #draw() {
    const [height, length] = [this.#height, this.findings.length];
    this.space.style.height = `${height * length}px`;
    this.grid.setAttribute("aria-rowcount", length + 1);
    byId("empty").hidden = length > 0;
    this.#drawHead();
    const first = Math.max(0, Math.floor(this.view.scrollTop / height) - AROUND);
    const visible = Math.ceil(this.view.clientHeight / height) + 2 * AROUND;
    const wanted = new Map();
    for (let index = first; index < Math.min(length, first + visible); index += 1) {
      wanted.set(this.findings.row(index)[at.number], index);
    }
    for (const [number, shown] of this.#elements) {
      const focused = shown.contains(document.activeElement);
      const index = focused && !wanted.has(number) ? this.findings.index(number) : -1;
      if (index >= 0) wanted.set(number, index); // to remove it would lose the focus
      if (!wanted.has(number)) {
        shown.remove();
        this.#elements.delete(number);
        if (focused) this.view.focus({ preventScroll: true });
      }
    }
    const reachable = wanted.has(this.active) ? this.active : wanted.keys().next().value;
    for (const [number, index] of wanted) this.#place(number, index, height, reachable);
  }

  #drawHead() {
    const { key, descending } = this.findings.sort;
    for (const heading of byId("head").children) {
      const sorted = heading.dataset.key === key;
      heading.setAttribute("aria-sort", sorted ? (descending ? "descending" : "ascending") : "none");
    }
  }

  #place(number, index, height, reachable) {
    let shown = this.#elements.get(number);
    if (!shown) {
      shown = makeRow(this.findings.row(index));
      this.#elements.set(number, shown);
      this.space.append(shown);
    }
    shown.style.transform = `translateY(${index * height}px)`;
    shown.setAttribute("aria-rowindex", index + 2);
    shown.setAttribute("aria-selected", number === this.selected);
    shown.tabIndex = number === reachable ? 0 : -1;
  }

  /** Forget what is drawn: other findings have come under the same numbers. */
  clear() {
    for (const shown of this.#elements.values()) shown.remove();
    this.#elements.clear();
    [this.active, this.selected] = [null, null];
  }

  select(number) {
    this.selected = number;
    this.draw();
  }

  /** Move the keyboard's focus to the row at `index`. */
  focus(index) {
    const height = this.#height;
    const row = this.findings.row(Math.max(0, Math.min(index, this.findings.length - 1)));
    if (!row) return;
    this.active = row[at.number];
    const top = this.findings.index(this.active) * height;
    const [from, to] = [this.view.scrollTop, this.view.scrollTop + this.view.clientHeight];
    if (top < from) this.view.scrollTop = top;
    else if (top + height > to) this.view.scrollTop = top + height - this.view.clientHeight;
    this.#draw();
    this.#elements.get(this.active)?.focus({ preventScroll: true });
    if (this.selected !== null) this.on.select(this.active, false);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const shown = event.target.closest("[role=row]");
    if (shown) this.active = Number(shown.dataset.number);
    const index = this.active === null ? -1 : this.findings.index(this.active);
    const page = Math.max(1, Math.floor(this.view.clientHeight / this.#height) - 1);
    const targets = {
      ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page,
      Home: 0, End: this.findings.length - 1,
    };
    if (event.key in targets) this.focus(targets[event.key]);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") this.#sideways(event, shown);
    else if (event.key === "Enter" && event.target === shown) this.on.select(this.active, true);
    else return;
    event.preventDefault();
  }

  #sideways(event, shown) {
    if (!shown) return;
    const stops = [shown, ...shown.querySelectorAll("a, button")];
    const next = stops.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1);
    stops[Math.max(0, Math.min(next, stops.length - 1))].focus();
  }

  #click(event) {
    const shown = event.target.closest("[role=row]");
    if (!shown) return;
    this.active = Number(shown.dataset.number);
    const rule = event.target.closest("button");
    if (rule) this.on.explain(rule.dataset.rule);
    else if (!event.target.closest("a")) this.on.select(this.active, true);
  }
}

function makeRow(row) {
  const get = (name) => row[at[name]];
  const name = get("rule") + (get("variant") ? `/${get("variant")}` : "");
  const line = get("field") === null ? "" : `${get("field")}: ${get("value") ?? ""}`;
  const place = [get("method"), `${get("host")}${get("path")}`].filter(Boolean).join(" ");
  const flow = get("flow");
  const cells = {
    number: element("time", { datetime: get("time"), title: get("time") }, clock(get("time"))),
    severity: element("span", { class: `badge ${get("severity")}` }, get("severity")),
    rule: element("button", { class: "rule", tabindex: -1, "data-rule": name, title: "Explain this rule" }, name),
    sender: get("sender") ?? "",
    http_version: get("http_version") ?? "",
    field: element("code", {}, line),
    place: flow
      ? element("a", { href: flowAddress(flow, get("part")), target: FLOW_TAB, tabindex: -1, title: "Open this flow in mitmweb" }, place)
      : element("span", { title: "mitmproxy dropped this message before it became a flow" }, place),
    action: element("span", { class: `action ${get("action")}` }, get("action") ?? ""),
  };
  const made = element("div", { role: "row", class: "row", "data-number": get("number") });
  for (const [key, content] of Object.entries(cells)) {
    made.append(element("div", { role: "gridcell", class: `cell col-${key}` }, content));
  }
  return made;
}
