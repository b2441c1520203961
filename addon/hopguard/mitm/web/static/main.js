// The page: puts its parts together.

import { load, Timeline } from "./charts.js";
import { Details } from "./details.js";
import { byId, count, element, many, say } from "./dom.js";
import { Facets } from "./facets.js";
import { at, Filter, Findings } from "./findings.js";
import { Live } from "./live.js";
import { explain } from "./rule.js";
import { Table } from "./table.js";

const RESORT_EVERY = 400; // milliseconds, while traffic flows

// The password does its work once; it is not for the history, nor for looking over shoulders.
if (location.search) history.replaceState(null, "", location.pathname + location.hash);

const findings = new Findings();
findings.filter = Filter.read(location.hash);
const search = byId("search");
let news = null; // the latest answer
let resorting = null;

const table = new Table(findings, { sort, select, explain });
const facets = new Facets({ toggle, explain });
const timeline = new Timeline();
const details = new Details({ close, explain, only });
const live = new Live({ reset, news: take });

function sort(key) {
  const { sort: before } = findings;
  const descending = before.key === key ? !before.descending : ["number", "severity"].includes(key);
  findings.sort = { key, descending };
  arrange();
}

function select(number, chosen) {
  table.select(number);
  details.show(number, chosen);
}

function close(focused) {
  const index = findings.index(table.selected);
  table.select(null);
  if (focused && index >= 0) table.focus(index);
}

function toggle(name, value) {
  findings.filter.toggle(name, value);
  arrange();
}

function only(name, value) {
  findings.filter.chosen[name] = new Set([value]);
  arrange();
}

/** Filter and sort anew, and show it from the top. */
function arrange() {
  const fragment = findings.filter.write();
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname);
  findings.arrange();
  table.view.scrollTop = 0;
  show();
  say(byId("said"), byId("shown").textContent);
}

function show(added = 0) {
  table.draw(added);
  showStatus();
  if (news?.totals) facets.draw(news.totals, findings.filter);
}

function showStatus() {
  const { length } = findings;
  const all = findings.rows.length;
  say(byId("shown"), length === all ? many(all, "finding") : `${count(length)} of ${many(all, "finding")}`);
  say(byId("empty"), all ? "No finding passes the filter." : "Nothing found yet. Findings appear here while traffic flows.");
  const chips = Object.entries(findings.filter.chosen).flatMap(([name, values]) => [...values].map((value) =>
    element("button", { class: "chip", "aria-label": `Remove the filter ${value}`, on: { click: () => toggle(name, value) } },
      name === "flow" ? "one flow" : value, " \u2715")));
  if (chips.length || findings.filter.text) chips.push(element("button", { class: "chip clear", on: { click: clear } }, "Clear filters"));
  byId("chips").replaceChildren(...chips);
  if (!news) return;
  const gone = news.oldest - 1;
  const note = gone ? ` The ${count(gone)} oldest are in the totals only.` : "";
  const loading = news.complete ? "" : ` Loading: ${count(all)} of ${count(news.newest - gone)}.`;
  say(byId("kept"), `The newest ${count(news.most)} findings are kept one by one.${note}${loading} Times are of this device.`);
}

function clear() {
  findings.filter = new Filter();
  search.value = "";
  arrange();
  search.focus();
}

function reset() {
  findings.clear();
  table.clear();
  details.close();
}

function take(answer) {
  answer.totals ??= news?.totals ?? null;
  news = answer;
  answer.columns.forEach((name, index) => (at[name] = index));
  const added = findings.add(answer.rows, answer.oldest);
  if (added === null) resorting ??= setTimeout(resort, RESORT_EVERY);
  load(answer.charts_missing);
  show(findings.sort.descending ? added ?? 0 : 0);
  if (answer.complete) timeline.show(answer.totals.timeline);
}

function resort() {
  resorting = null;
  findings.arrange();
  show();
}

search.value = findings.filter.text;
search.addEventListener("input", () => {
  findings.filter.text = search.value.trim();
  arrange();
});
search.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") table.focus(0);
});
window.addEventListener("hashchange", () => {
  findings.filter = Filter.read(location.hash);
  search.value = findings.filter.text;
  arrange();
});
byId("download").addEventListener("submit", () => {
  const form = byId("download");
  form.elements.run.value = news?.run ?? "";
  form.elements.findings.value = findings.numbers();
});

live.start();
