// Elements from data. Whatever comes from traffic becomes text, never markup.

/** Make an element; `properties` may hold attributes and, under `on`, listeners. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (value === true && !key.startsWith("aria-")) {
      made.setAttribute(key, "");
    } else if (value !== null && value !== undefined && (value !== false || key.startsWith("aria-"))) {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Set a text only where it differs, so that nothing is announced or drawn without need. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const count = (number) => number.toLocaleString("en");

/** How many of what `noun` names in the singular. */
export const many = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** A link to elsewhere, if it is one of the web; otherwise its text. */
export function outside(text, url) {
  if (!/^https:\/\//.test(url ?? "")) return document.createTextNode(text);
  return element("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, text);
}

/** The address of a flow in mitmweb. The query makes an open mitmweb load it: it reads its
 * fragment only once. */
export function flowAddress(flow, part) {
  const tab = part?.startsWith("response") ? "response" : part === "connection" ? "connection" : "request";
  const id = encodeURIComponent(flow);
  return `./?flow=${id}#/flows/${id}/${tab}`;
}

/** Name of the tab in which flows are opened. */
export const FLOW_TAB = "mitmweb";

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});

/** The time of day, where the person is, of a time in RFC 3339 or milliseconds. */
export const clock = (time) => (time === null ? "" : CLOCK.format(new Date(time)));
