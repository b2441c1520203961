// The explanation of a rule, with its examples, in a dialog.

import { byId, element, outside } from "./dom.js";

byId("rule-close").addEventListener("click", () => byId("rule").close());

export async function explain(name) {
  const answer = await fetch(`hopguard/rules/${name}`);
  const body = byId("rule-body");
  byId("rule-title").textContent = name;
  if (answer.ok) {
    const [, ...blocks] = await answer.json(); // the first is the name
    body.replaceChildren(...blocks.map(show));
  } else {
    body.replaceChildren(element("p", {}, await answer.text()));
  }
  const dialog = byId("rule");
  if (!dialog.open) dialog.showModal();
  body.scrollTop = 0;
}

function show(block) {
  if (block.kind === "heading") return element(block.level > 2 ? "h4" : "h3", {}, block.text);
  if (block.kind === "paragraph") return element("p", {}, block.text);
  if (block.kind === "example") return element("pre", { tabindex: 0 }, ...block.lines.map(line));
  return element("dl", { class: "facts" }, ...block.rows.flatMap(([label, items]) => [
    element("dt", {}, label),
    element("dd", {}, ...items.map((item) => element("span", {}, outside(item.text, item.url)))),
  ]));
}

function line(text) {
  const marked = /^  \^+$/.test(text);
  return element("span", { class: marked ? "fault" : null }, `${text}\n`);
}
