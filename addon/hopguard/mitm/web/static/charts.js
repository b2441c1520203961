// Charts, drawn by Vega. It comes from a package that is installed beside hopguard, or not at all.

import { byId, clock, count, element, many } from "./dom.js";

const CONFIG = {
  background: null,
  view: { stroke: null },
  font: "system-ui, sans-serif",
  axis: {
    labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 12, domainColor: "var(--line)",
    tickColor: "var(--line)", gridColor: "var(--line)",
  },
  text: { color: "currentColor", fontSize: 12 },
};
const LEAST_BINS = 30;

let library = null;

/** Load the library once; null where it is not installed. */
export function load(missing) {
  library ??= missing ? Promise.resolve(null) : new Promise((resolve) => {
    document.head.append(element("script", {
      src: "hopguard/charts.js",
      on: { load: () => resolve(window.vegaEmbed), error: () => resolve(null) },
    }));
  });
  const note = byId("charts-missing");
  note.hidden = !missing;
  note.textContent = missing ? `${missing[0].toUpperCase()}${missing.slice(1)}.` : "";
  return library;
}

/** Draw `spec` in `place`, in an element of its own: Vega takes away the name and role of the one
 * that it is given. Expressions are interpreted: the page's policy forbids to compile any. */
export async function draw(place, spec) {
  const embed = await library;
  if (!embed || !place.isConnected) return null;
  const inner = place.firstElementChild ?? place.appendChild(element("div"));
  const options = { ast: true, renderer: "svg", actions: false, tooltip: { theme: "custom" }, config: CONFIG };
  return (await embed(inner, spec, options)).view;
}

/** How many findings there were when, drawn again at most once a second. */
export class Timeline {
  #view = null;
  #last = null;
  #busy = false;

  constructor() {
    this.place = byId("timeline");
    byId("timeline-numbers").addEventListener("toggle", () => this.#numbers());
    new ResizeObserver(() => this.#redraw()).observe(this.place);
  }

  show(timeline) {
    this.#last = timeline;
    this.#redraw();
    this.#numbers();
  }

  async #redraw() {
    if (this.#busy || !this.#last?.bins.length || !this.place.clientWidth) return;
    this.#busy = true;
    const drawn = this.#last;
    this.place.setAttribute("aria-label", this.#words(drawn));
    const width = this.place.clientWidth;
    this.#view?.finalize();
    this.#view = await draw(this.place, timelineSpec(drawn, width));
    setTimeout(() => {
      this.#busy = false;
      if (this.#last !== drawn || this.place.clientWidth !== width) this.#redraw();
    }, 1000);
  }

  #words({ step, bins }) {
    if (!bins.length) return "No findings yet.";
    const sum = (bin) => bin[1] + bin[2] + bin[3];
    const highest = bins.reduce((one, other) => (sum(other) > sum(one) ? other : one));
    return `Bar chart of the findings over time, stacked by severity, ${many(step, "second")} each: from`
      + ` ${clock(bins[0][0] * 1000)} to ${clock((bins.at(-1)[0] + step) * 1000)}; the highest begins at`
      + ` ${clock(highest[0] * 1000)}, with ${count(sum(highest))}.`;
  }

  #numbers() {
    const details = byId("timeline-numbers");
    if (!details.open || !this.#last) return;
    const cell = (text, name = "td") => element(name, { class: "number" }, text);
    const rows = this.#last.bins.filter((bin) => bin[1] + bin[2] + bin[3]).reverse().map(
      ([start, ...counts]) => element("tr", {}, element("th", { scope: "row" }, new Date(start * 1000).toLocaleString()),
        ...counts.map((number) => cell(count(number)))));
    const head = element("tr", {}, element("th", { scope: "col" }, "From"),
      ...["Errors", "Warnings", "Infos"].map((name) => cell(name, "th")));
    details.querySelector("div").replaceChildren(element("table", {},
      element("caption", {}, `Findings per ${many(this.#last.step, "second")}; where there is no line, there were none`),
      element("thead", {}, head), element("tbody", {}, ...rows)));
  }
}

function timelineSpec({ step, bins }, width) {
  const names = ["info", "warning", "error"]; // from the bottom to the top
  const values = [];
  for (const [start, errors, warnings, infos] of bins) {
    let below = 0;
    for (const [index, number] of [infos, warnings, errors].entries()) {
      if (!number) continue;
      values.push({ start: start * 1000, end: (start + step) * 1000, below, above: below + number, severity: names[index], count: number });
      below += number;
    }
  }
  // A short history does not fill the whole width: it has room to grow.
  const [first, last] = [bins[0][0], bins.at(-1)[0] + step];
  const room = { start: first * 1000, end: Math.max(last, first + LEAST_BINS * step) * 1000, below: 0, above: 0 };
  const format = step < 60 ? "%H:%M:%S" : step < 86_400 ? "%b %d, %H:%M" : "%Y-%m-%d";
  return {
    data: { values: [room, ...values] }, width: "container", height: 110, autosize: { type: "fit", contains: "padding" },
    mark: { type: "rect", stroke: "var(--panel)", strokeWidth: width / Math.max(bins.length, LEAST_BINS) > 6 ? 1 : 0.3 },
    encoding: {
      x: { field: "start", type: "temporal", title: null, scale: { nice: false },
        axis: { grid: false, tickCount: Math.max(2, Math.floor(width / 130)), format, labelOverlap: true, labelFlush: true } },
      x2: { field: "end" },
      y: { field: "below", type: "quantitative", title: null, axis: { tickCount: 3, tickMinStep: 1, format: "~s", domain: false, ticks: false } },
      y2: { field: "above" },
      color: { field: "severity", type: "nominal", scale: { domain: names, range: names.map((name) => `var(--${name})`) }, legend: null },
      tooltip: [
        { field: "start", type: "temporal", title: "from", format: "%Y-%m-%d %H:%M:%S" },
        { field: "severity", title: "severity" }, { field: "count", title: "findings", format: "," },
      ],
    },
  };
}
