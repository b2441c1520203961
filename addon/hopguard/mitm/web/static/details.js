// The drawer with all that is known of one finding, and the connections of its flow.

import { byId, element, flowAddress, FLOW_TAB, outside } from "./dom.js";
import { showLanes } from "./lanes.js";

const NAMES = {
  time: "Time", sender: "Sent by", http_version: "Version", field: "Field line", action: "Action",
  edits: "Changed", method: "Request", status: "Status", client: "Client", server: "Server",
  flow: "Flow", connection: "Connection",
};
/** Keys that are shown elsewhere, or say nothing to people. */
const APART = new Set([
  "schema", "rule", "variant", "severity", "message", "requirement", "leg", "part", "value", "line", "url",
]);

const PATIENCE = 150; // milliseconds for which the keyboard must rest on a row

export class Details {
  #asked = 0;

  /** `on.close` is called when the drawer is closed, `on.explain` to explain a rule. */
  constructor(on) {
    this.on = on;
    this.drawer = byId("details");
    byId("details-close").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.drawer.hidden && !byId("rule").open) this.close();
    });
  }

  /** Show a finding that a person has chosen, or has only come by with the arrow keys. */
  async show(number, chosen) {
    const asked = (this.#asked += 1);
    if (!chosen) await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    if (asked !== this.#asked) return; // another one has been chosen meanwhile
    const answer = await fetch(`hopguard/findings/${number}`);
    if (asked !== this.#asked) return;
    const body = byId("details-body");
    this.drawer.hidden = false;
    if (!answer.ok) {
      body.replaceChildren(element("p", { class: "note" }, await answer.text()));
      return;
    }
    const record = await answer.json();
    if (asked !== this.#asked) return;
    this.#fill(body, record);
    body.scrollTop = 0;
    // Where the drawer hides the table, the focus must not stay behind it.
    if (chosen && matchMedia("(max-width: 700px)").matches) byId("details-title").focus();
    if (record.flow) await showLanes(byId("lanes"), record.flow, () => asked === this.#asked);
  }

  #fill(body, record) {
    const name = record.rule + (record.variant ? `/${record.variant}` : "");
    const { requirement } = record;
    const where = `RFC ${requirement.rfc}, section ${requirement.section}`;
    const cited = requirement.rfc === null ? requirement.section ?? "the requirement" : requirement.section ? where : `RFC ${requirement.rfc}`;
    body.replaceChildren(
      element("p", { class: "lead" }, element("span", { class: `badge ${record.severity}` }, record.severity), " ",
        element("button", { class: "rule", title: "Explain this rule", on: { click: () => this.on.explain(name) } }, name)),
      element("p", { class: "sentence" }, record.message),
      element("p", {}, outside(cited, requirement.url), requirement.keyword ? ` (${requirement.keyword})` : ""),
      element("p", { class: "buttons" },
        record.flow ? element("a", { class: "button", href: flowAddress(record.flow, record.part), target: FLOW_TAB }, "Open flow in mitmweb") : null,
        element("button", { on: { click: () => this.on.explain(name) } }, "Explain the rule"),
        record.flow ? element("button", { on: { click: () => this.on.only("flow", record.flow) } }, "Only this flow") : null),
      element("dl", { class: "facts" }, ...facts(record)),
      element("h3", {}, "Connections of this flow"),
      element("div", { id: "lanes" }, element("p", { class: "quiet" },
        record.flow ? "Loading" : "mitmproxy dropped this message before it became a flow.")),
    );
  }

  close() {
    if (this.drawer.hidden) return;
    this.#asked += 1;
    const focused = this.drawer.contains(document.activeElement);
    this.drawer.hidden = true;
    this.on.close(focused);
  }
}

/** Everything else that the record says; keys that are new here are shown as they are. */
function* facts(record) {
  const shown = {
    ...record,
    sender: record.sender && `${record.sender}, on the ${record.leg} leg, in the ${record.part?.replace("-", " ")}`,
    field: record.field && `${record.field}: ${record.value ?? ""}`,
    method: [record.method, record.url].filter(Boolean).join(" "),
  };
  for (const [key, value] of Object.entries(shown)) {
    if (APART.has(key) || value === null || value === "" || value?.length === 0) continue;
    const texts = Array.isArray(value) ? value : [value];
    const name = NAMES[key] ?? key;
    yield element("dt", {}, name);
    yield element("dd", {}, ...texts.map((text) =>
      element("code", {}, typeof text === "object" ? JSON.stringify(text) : String(text))));
  }
}
