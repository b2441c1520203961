// The totals: tiles, and lists by rule, host, sender and version, each value a filter.

import { byId, count, element, many, say } from "./dom.js";
import { SEVERITIES } from "./findings.js";

const NAMES = { error: "Errors", warning: "Warnings", info: "Infos" };
const LISTS = { rule: "Rules", host: "Hosts", sender: "Senders", http_version: "Versions" };
const FEW = 8;
const SAY_EVERY = 10_000; // milliseconds

export class Facets {
  #open = new Set(); // lists that are shown in full
  #said = 0;

  /** Show the totals; `on` holds what to do when a person acts. */
  constructor(on) {
    this.on = on;
    this.totals = null;
    this.filter = null;
    this.tiles = Object.fromEntries(SEVERITIES.map((name) => [name, this.#tile(name)]));
    byId("severities").append(...Object.values(this.tiles));
    // On a small screen they would push the table out of sight.
    const small = matchMedia("(max-width: 900px)").matches;
    this.lists = {};
    for (const [name, title] of Object.entries(LISTS)) {
      this.lists[name] = element("ul");
      byId("facets").append(
        element("details", { open: !small, class: "panel facet" },
          element("summary", {}, element("h2", {}, title)), this.lists[name]),
      );
    }
  }

  #tile(name) {
    const toggle = () => this.on.toggle("severity", name);
    return element("button", { class: `tile ${name}`, "aria-pressed": "false", on: { click: toggle } },
      element("span", { class: "what" }, NAMES[name]), " ", element("span", { class: "count" }, "0"));
  }

  /** Show `totals` and what `filter` has chosen. */
  draw(totals, filter) {
    [this.totals, this.filter] = [totals, filter];
    say(byId("total"), count(totals.total));
    say(byId("rule-count"), count(totals.rule.length));
    say(byId("host-count"), count(totals.host.length) + (totals.others.host ? "+" : ""));
    for (const [name, number] of totals.severity) {
      say(this.tiles[name].querySelector(".count"), count(number));
      this.tiles[name].setAttribute("aria-pressed", filter.chosen.severity.has(name));
    }
    for (const name of Object.keys(LISTS)) this.#drawList(name);
    this.#announce();
  }

  #drawList(name) {
    const values = this.totals[name];
    const all = this.#open.has(name) || values.length <= FEW + 1;
    const most = values[0]?.[1] ?? 1;
    const shown = all ? values : values.slice(0, FEW);
    const items = shown.map(([value, number, severity]) => this.#item(name, value, number, number / most, severity));
    const others = this.totals.others[name];
    if (all && others) items.push(element("li", { class: "quiet" }, `others ${count(others)}`));
    if (!all) items.push(element("li", {}, element("button", { class: "more", "data-value": "", on: { click: () => {
      this.#open.add(name);
      this.#drawList(name);
    } } }, `All ${count(values.length)}`)));
    const list = this.lists[name];
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const where = [focused?.dataset.value, focused?.className];
    list.replaceChildren(...items);
    if (focused) {
      const same = [...list.querySelectorAll("button")].find(
        (button) => button.dataset.value === where[0] && button.className === where[1]);
      (same ?? list.querySelector("button"))?.focus({ preventScroll: true });
    }
  }

  #item(name, value, number, share, severity) {
    const button = element("button", {
      class: `value ${severity ?? ""}`, "data-value": value, title: value,
      "aria-pressed": this.filter.chosen[name].has(value),
      on: { click: () => this.on.toggle(name, value) },
    }, element("span", { class: "name" }, value), " ", element("span", { class: "count" }, count(number)));
    button.style.setProperty("--share", `${Math.max(1, share * 100)}%`);
    const explain = name !== "rule" ? null : element("button", {
      class: "explain", "data-value": value, "aria-label": `Explain ${value}`, title: "Explain this rule",
      on: { click: () => this.on.explain(value) },
    }, "?");
    return element("li", {}, button, explain);
  }

  /** Tell screen readers, now and then. */
  #announce() {
    const now = Date.now();
    if (now - this.#said < SAY_EVERY) return;
    this.#said = now;
    const counts = this.totals.severity.filter(([, number]) => number).map(([name, number]) => many(number, name));
    say(byId("said"), `${many(this.totals.total, "finding")}: ${counts.join(", ") || "none"}.`);
  }
}
