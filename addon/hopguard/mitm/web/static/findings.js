// The findings that the page holds, as rows, and which of them are shown in which order.

export const SEVERITIES = ["error", "warning", "info"];
export const FACETS = ["severity", "rule", "host", "sender", "http_version"];
const SEARCHED = [
  "severity", "rule", "variant", "sender", "leg", "http_version", "field", "value", "action",
  "method", "host", "path", "status", "part",
];

/** Index of each column in a row, filled in by the first answer. */
export const at = {};

/** What a row must be like: words in it, and for each facet one of the values chosen. */
export class Filter {
  constructor() {
    this.text = "";
    this.chosen = Object.fromEntries([...FACETS, "flow"].map((name) => [name, new Set()]));
  }

  /** Read it from an address's fragment. */
  static read(fragment) {
    const filter = new Filter();
    const given = new URLSearchParams(fragment.replace(/^#/, ""));
    filter.text = given.get("text") ?? "";
    for (const [name, values] of Object.entries(filter.chosen)) {
      for (const value of given.getAll(name)) values.add(value);
    }
    return filter;
  }

  write() {
    const given = new URLSearchParams();
    if (this.text) given.set("text", this.text);
    for (const [name, values] of Object.entries(this.chosen)) {
      for (const value of values) given.append(name, value);
    }
    return given.toString();
  }

  toggle(name, value) {
    if (!this.chosen[name].delete(value)) this.chosen[name].add(value);
  }

  /** Return the function that tells whether a row passes. */
  compile() {
    const words = this.text.toLowerCase().split(/\s+/).filter(Boolean);
    const facets = Object.entries(this.chosen)
      .filter(([, values]) => values.size)
      .map(([name, values]) => [at[name], values]);
    return (row) => {
      for (const [index, values] of facets) if (!values.has(row[index])) return false;
      if (!words.length) return true;
      row.text ??= SEARCHED.map((name) => row[at[name]] ?? "").join("\n").toLowerCase();
      return words.every((word) => row.text.includes(word));
    };
  }
}

const SORTS = {
  number: (row) => row[at.number],
  severity: (row) => -SEVERITIES.indexOf(row[at.severity]),
  rule: (row) => `${row[at.rule]}/${row[at.variant] ?? ""}`,
  sender: (row) => row[at.sender] ?? "",
  http_version: (row) => row[at.http_version] ?? "",
  field: (row) => `${row[at.field] ?? ""}: ${row[at.value] ?? ""}`.toLowerCase(),
  place: (row) => `${row[at.host]}${row[at.path]}`,
  action: (row) => row[at.action] ?? "",
};

export class Findings {
  constructor() {
    this.rows = []; // by number, ascending
    this.filter = new Filter();
    this.sort = { key: "number", descending: true };
    this.shown = []; // those that pass, ascending by the sort's key
  }

  clear() {
    this.rows = [];
    this.shown = [];
  }

  /** Take rows that are newer than all others; forget those below `oldest`. Return how many of the
   * new ones pass, or null if the order must be worked out anew by `arrange`. */
  add(rows, oldest) {
    for (const row of rows) this.rows.push(row);
    const gone = this.#forget(this.rows, oldest);
    if (this.sort.key !== "number") return rows.length || gone ? null : 0;
    this.#forget(this.shown, oldest);
    const passing = rows.filter(this.filter.compile());
    for (const row of passing) this.shown.push(row);
    return passing.length;
  }

  #forget(rows, oldest) {
    let gone = 0;
    while (gone < rows.length && rows[gone][at.number] < oldest) gone += 1;
    if (gone) rows.splice(0, gone);
    return gone;
  }

  /** Filter and sort all. */
  arrange() {
    this.shown = this.rows.filter(this.filter.compile());
    if (this.sort.key === "number") return;
    const keys = new Map(this.shown.map((row) => [row, SORTS[this.sort.key](row)]));
    this.shown.sort((one, other) => {
      const [left, right] = [keys.get(one), keys.get(other)];
      return left < right ? -1 : left > right ? 1 : one[at.number] - other[at.number];
    });
  }

  get length() {
    return this.shown.length;
  }

  /** The row at a place of the table. */
  row(index) {
    return this.shown[this.sort.descending ? this.shown.length - 1 - index : index];
  }

  /** The place of the row with a number in the table; -1 if it is not there. */
  index(number) {
    let found = -1;
    if (this.sort.key === "number") {
      let [low, high] = [0, this.shown.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.shown[middle][at.number] < number) low = middle + 1;
        else high = middle;
      }
      if (this.shown[low]?.[at.number] === number) found = low;
    } else {
      found = this.shown.findIndex((row) => row[at.number] === number);
    }
    return found >= 0 && this.sort.descending ? this.shown.length - 1 - found : found;
  }

  /** The numbers of those that are shown, as ranges: `1-50,53`. */
  numbers() {
    const numbers = this.shown.map((row) => row[at.number]).sort((one, other) => one - other);
    const ranges = [];
    for (const number of numbers) {
      const last = ranges.at(-1);
      if (last && last[1] === number - 1) last[1] = number;
      else ranges.push([number, number]);
    }
    return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(",");
  }
}
