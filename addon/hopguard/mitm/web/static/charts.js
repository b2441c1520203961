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
const COLOURS = { domain: ["error", "warning", "info"], range: ["var(--error)", "var(--warning)", "var(--info)"] };

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

/** Draw `spec` in `place`. Expressions are interpreted: the page's policy forbids to compile any. */
export async function draw(place, spec) {
  const embed = await library;
  if (!embed || !place.isConnected) return null;
  const options = { ast: true, renderer: "svg", actions: false, tooltip: { theme: "custom" }, config: CONFIG };
  return (await embed(place, spec, options)).view;
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
    if (this.#busy || !this.#last || !this.place.clientWidth) return;
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
  const names = ["error", "warning", "info"];
  const values = bins.flatMap(([start, ...counts]) => counts.map((number, index) => ({
    from: start * 1000, to: (start + step) * 1000, severity: names[index], order: index, count: number,
  })).filter((bar) => bar.count));
  const time = { type: "temporal", title: null };
  const [first, last] = bins.length ? [bins[0][0], bins.at(-1)[0] + step] : [0, 1];
  return {
    data: { values }, width: "container", height: 110, autosize: { type: "fit", contains: "padding" },
    mark: { type: "bar", stroke: "var(--panel)", strokeWidth: width / bins.length > 6 ? 1 : 0.3 },
    encoding: {
      x: { ...time, field: "from", axis: { grid: false, tickCount: Math.max(2, Math.floor(width / 130)), format: step < 60 ? "%H:%M:%S" : step < 86400 ? "%m-%d %H:%M" : "%Y-%m-%d", labelOverlap: true },
        scale: { domain: [first * 1000, Math.max(last, first + 30 * step) * 1000], nice: false } },
      x2: { field: "to" },
      y: { field: "count", type: "quantitative", stack: "zero", title: null, axis: { tickCount: 3, tickMinStep: 1, format: "~s", domain: false, ticks: false } },
      order: { field: "order" },
      color: { field: "severity", type: "nominal", scale: COLOURS, legend: null },
      tooltip: [{ field: "from", type: "temporal", title: "from", format: "%H:%M:%S" }, { field: "severity" }, { field: "count", format: "," }],
    },
  };
}
