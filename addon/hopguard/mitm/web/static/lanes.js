// Connections as swim lanes: when they were open, what was exchanged on them, who closed them.

import { clock, element, flowAddress, FLOW_TAB, many } from "./dom.js";
import { draw } from "./charts.js";

const ROWS = 6; // of exchanges that overlap, in one lane

/** Show the connections of a flow, unless meanwhile something else is to be shown. */
export async function showLanes(place, flow, wanted) {
  const answer = await fetch(`hopguard/flows/${flow}/connections`);
  if (!wanted()) return;
  if (!answer.ok) {
    place.replaceChildren(element("p", { class: "note" }, await answer.text()));
    return;
  }
  const lanes = await answer.json();
  if (!wanted()) return;
  const chart = element("div", { class: "chart", role: "img", "aria-label": lanes.map(summary).join(" ") });
  place.replaceChildren(
    element("ul", { class: "legend", "aria-hidden": "true" }, element("li", { class: "open" }, "open, idle"),
      element("li", { class: "waiting" }, "waiting for the answer"), element("li", { class: "receiving" }, "receiving it"),
      element("li", { class: "found" }, "with a finding, by severity")),
    chart, ...lanes.map(lane));
  if (!(await draw(chart, laneSpec(lanes, Date.now() / 1000)))) chart.remove();
}

const seconds = (length) => (length < 1 ? `${Math.max(0, length * 1000).toFixed(length < 0.01 ? 1 : 0)} ms` : `${length.toFixed(length < 10 ? 2 : 0)} s`);

const title = (lane) => `${lane.leg} ${lane.peer ?? "(unknown)"}`;

function closing(lane) {
  if (lane.closed === null) return "still open";
  const after = lane.opened === null ? "" : ` after ${seconds(lane.closed - lane.opened)}`;
  return `closed${after}${lane.closed_by ? ` by the ${lane.closed_by}` : "; by whom is not known"}`;
}

const ending = (lane) => (lane.closed === null ? "still open" : lane.closed_by ? `closed by the ${lane.closed_by}` : "closed");

/** The time before each exchange in which nothing was going on; null where that is not known. */
function idleTimes(lane) {
  let busyUntil = lane.left_out ? null : lane.opened;
  return lane.exchanges.map((one) => {
    const idle = busyUntil === null ? null : Math.max(0, one.start - busyUntil);
    busyUntil = one.end === null ? null : Math.max(busyUntil ?? one.end, one.end);
    return idle;
  });
}

function summary(lane) {
  const idle = Math.max(...idleTimes(lane).filter((one) => one !== null), 0);
  const facts = [
    lane.protocol, lane.opened === null ? null : `opened ${clock(lane.opened * 1000)}`,
    many(lane.exchanges.length + lane.left_out, "exchange"), lane.exchanges.length > 1 ? `longest idle ${seconds(idle)}` : null,
    closing(lane),
  ];
  return `Connection, ${title(lane)}: ${facts.filter(Boolean).join(", ")}.`;
}

function lane(lane) {
  const idle = idleTimes(lane);
  const rows = lane.exchanges.map((one, index) => element("tr", { class: one.chosen ? "chosen" : null, "aria-current": one.chosen ? "true" : null },
    element("th", { scope: "row" },
      element("a", { href: flowAddress(one.flow, "request"), target: FLOW_TAB }, `${one.method} ${one.url}`),
      one.severity ? element("span", { class: `badge ${one.severity}` }, one.severity) : null),
    element("td", { class: "number" }, idle[index] === null ? "" : seconds(idle[index])),
    element("td", { class: "number" }, one.end === null ? "going on" : seconds(one.end - one.start)),
    element("td", {}, one.failed ? "failed" : one.status ?? "none yet")));
  return element("details", { class: "lane", open: lane.exchanges.length <= 12 },
    element("summary", {}, summary(lane)),
    lane.left_out ? element("p", { class: "quiet" }, `${many(lane.left_out, "earlier exchange")} not shown.`) : null,
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Exchanges, ${title(lane)}` },
      element("table", {}, element("thead", {}, element("tr", {},
        ...["Exchange", "Idle before", "Took", "Status"].map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows))));
}

/** Give each exchange the first row in which nothing else is going on. */
function stack(exchanges, now) {
  const ends = [];
  return exchanges.map((one) => {
    let row = ends.findIndex((end) => end <= one.start);
    if (row < 0) row = ends.length < ROWS ? ends.length : ROWS - 1;
    ends[row] = one.end ?? now;
    return row;
  });
}

/** The time from the first opening to the last thing that is known, and a bit more if it goes on. */
function span(lanes) {
  const known = (times) => times.filter((time) => time !== null);
  const begins = known(lanes.flatMap((lane) => [lane.opened, ...lane.exchanges.map((one) => one.start)]));
  const ends = known(lanes.flatMap((lane) => [lane.closed, ...lane.exchanges.map((one) => one.end)]));
  const zero = Math.min(...begins);
  const last = Math.max(...ends, ...begins, zero + 0.001);
  const open = lanes.some((lane) => lane.closed === null);
  return { zero, end: open ? last + (last - zero) * 0.06 : last };
}

/** What is drawn of a lane whose title is at height `top`. */
function* laneMarks(lane, rows, top, at, end) {
  const [y, y2] = [top + 1, top + 1 + Math.max(...rows, 0) + 1];
  const what = summary(lane);
  const opened = lane.opened ?? lane.exchanges[0]?.start ?? null;
  yield { kind: "title", x: 0, y: top, label: `${title(lane)}, ${ending(lane)}` };
  yield { kind: "open", what, x: opened === null ? 0 : at(opened), x2: at(lane.closed ?? end), y, y2 };
  if (lane.closed !== null) yield { kind: "closed", what, x: at(lane.closed), y, y2 };
  for (const [index, one] of lane.exchanges.entries()) {
    const bar = {
      what: `${one.method} ${one.url}: ${one.failed ? "failed" : one.status ?? "no answer yet"}`,
      y: y + 0.15 + rows[index], y2: y + 0.85 + rows[index],
    };
    const finish = one.end ?? end;
    const answered = one.answered ?? finish;
    for (const [phase, from, to] of [["waiting", one.start, answered], ["receiving", answered, finish]]) {
      if (phase === "waiting" || from < to) yield { ...bar, phase, kind: one.severity ?? phase, x: at(from), x2: at(to) };
    }
    if (one.chosen) yield { ...bar, chosen: true, x: at(one.start), x2: at(finish) };
  }
}

function laneSpec(lanes, now) {
  const { zero, end } = span(lanes);
  const at = (time) => (Math.min(time, end) - zero) * 1000;
  const values = [];
  let top = 0;
  for (const lane of lanes) {
    const rows = stack(lane.exchanges, now);
    values.push(...laneMarks(lane, rows, top, at, end));
    top += Math.max(...rows, 0) + 2.5;
  }
  const kinds = ["open", "waiting", "receiving", "error", "warning", "info"];
  const colour = { field: "kind", type: "nominal", legend: null, scale: { domain: kinds, range: kinds.map((kind) => `var(--${kind})`) } };
  const y = { field: "y", type: "quantitative", axis: null, scale: { domain: [0, top], reverse: true, nice: false, zero: false } };
  const x = { field: "x", type: "quantitative", title: "milliseconds", scale: { nice: false, zero: true },
    axis: { tickCount: 5, format: "~s", titleFontWeight: "normal" } };
  const area = { x, x2: { field: "x2" }, y, y2: { field: "y2" }, tooltip: { field: "what" } };
  const phase = { field: "phase", type: "ordinal", legend: null, scale: { domain: ["waiting", "receiving"], range: [0.6, 1] } };
  const layers = [
    [(one) => one.kind === "open", { mark: { type: "rect", cornerRadius: 3 }, encoding: { ...area, color: colour } }],
    [(one) => one.phase, { mark: { type: "rect", strokeWidth: 2 }, encoding: { ...area, color: colour, stroke: colour, opacity: phase } }],
    [(one) => one.chosen, { mark: { type: "rect", fill: null, stroke: "var(--ink)", strokeWidth: 1.5 }, encoding: area }],
    [(one) => one.kind === "closed", { mark: { type: "rule", strokeWidth: 3, color: "var(--ink)" }, encoding: { x, y, y2: { field: "y2" }, tooltip: { field: "what" } } }],
    [(one) => one.kind === "title", { mark: { type: "text", align: "left", baseline: "bottom", dy: 14, limit: 600 }, encoding: { x, y, text: { field: "label" } } }],
  ];
  return {
    width: "container", height: top * 20, autosize: { type: "fit", contains: "padding" },
    layer: layers.map(([wanted, layer]) => ({ data: { values: values.filter(wanted) }, ...layer })).filter((layer) => layer.data.values.length),
  };
}
