/** The side panel: numbers of what is selected, and where they lead. */

import { href } from "../lib/address.js";
import { serviceClass } from "../lib/colours.js";
import { h, icon, middle } from "../lib/dom.js";
import { compact, duration, exactDuration, percent } from "../lib/format.js";
import { rangeParams } from "../lib/timerange.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {import("./model.js").Node} Node @typedef {import("./model.js").Edge} Edge @typedef {import("./canvas.js").Selection} Selection @typedef {import("../lib/timerange.js").Range} Range */

const WORDS = { healthy: "No errors", degraded: "Some errors", failure: "Failing" };

/**
 * @param {HTMLElement} place @param {Graph} graph @param {Selection} selection @param {Range} range
 * @param {(selection: Selection) => void} select
 */
export function showPanel(place, graph, selection, range, select) {
  const content = selection && ("node" in selection ? ofNode(graph, selection.node, range, select) : ofEdge(graph, selection.edge, range, select));
  place.hidden = !content;
  if (content) place.replaceChildren(h("button", { class: "tool panel-close", type: "button", "aria-label": "Close", on: { click: () => select(null) } }, icon("m4 4 8 8M12 4l-8 8")), ...content);
}

/** @param {Graph} graph @param {string} name @param {Range} range @param {(selection: Selection) => void} select */
function ofNode(graph, name, range, select) {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  if (!node) return null;
  const calls = graph.edges.filter(({ parent }) => parent === name);
  const callers = graph.edges.filter(({ child }) => child === name);
  return [
    h("h2", {}, h("span", { class: `chip ${serviceClass(name)}` }, middle(name))),
    health(node),
    numbers([
      ["Spans", node.spans.toLocaleString("en")],
      ["Errors", node.errors ? `${node.errors.toLocaleString("en")} (${percent(node.share)})` : "0"],
      ["Median", duration(node.p50), exactDuration(node.p50)],
      ["95th percentile", duration(node.p95), exactDuration(node.p95)],
    ]),
    leads(name, node.errors, range),
    neighbours("Called by", callers, "parent", select),
    neighbours("Calls", calls, "child", select),
  ];
}

/** @param {Graph} graph @param {string} key @param {Range} range @param {(selection: Selection) => void} select */
function ofEdge(graph, key, range, select) {
  const edge = graph.edges.find((candidate) => candidate.key === key);
  if (!edge) return null;
  return [
    h("h2", { class: "panel-edge" }, nameButton(edge.parent, select), h("span", { class: "muted" }, "calls"), nameButton(edge.child, select)),
    health(edge),
    numbers([
      ["Calls", edge.calls.toLocaleString("en")],
      ["Rate", `${compact(edge.rate)}/s`],
      ["Errors", edge.errors ? `${edge.errors.toLocaleString("en")} (${percent(edge.share)})` : "0"],
      ["95th percentile", duration(edge.p95), exactDuration(edge.p95)],
    ]),
    leads(edge.child, edge.errors, range),
  ];
}

/** @param {Node | Edge} of */
function health({ health: state }) {
  return h("p", { class: `health ${state}` }, icon(state === "healthy" ? "m3.5 8.5 3 3 6-7" : "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01"), WORDS[state]);
}

/** @param {[string, string, string?][]} rows */
function numbers(rows) {
  return h("dl", { class: "panel-numbers" }, ...rows.map(([name, text, exact]) => h("div", {}, h("dt", {}, name), h("dd", { title: exact }, text))));
}

/** @param {string} service @param {number} errors @param {Range} range */
function leads(service, errors, range) {
  const time = rangeParams(range);
  return h(
    "p",
    { class: "panel-links" },
    h("a", { class: "button", href: href("/search", { service, ...time }) }, "Show traces"),
    errors > 0 && h("a", { class: "button", href: href("/search", { service, tags: '{"error":"true"}', ...time }) }, "Show failed traces"),
  );
}

/** @param {string} title @param {Edge[]} edges @param {"parent" | "child"} side @param {(selection: Selection) => void} select */
function neighbours(title, edges, side, select) {
  if (!edges.length) return h("div", { hidden: true });
  const busiest = [...edges].sort((a, b) => b.calls - a.calls);
  return h(
    "section",
    {},
    h("h3", {}, title),
    h("ul", { class: "panel-list" }, ...busiest.map((edge) => h("li", {}, nameButton(edge[side], select), h("span", { class: `muted ${edge.health}` }, `${compact(edge.rate)}/s, ${duration(edge.p95)}`)))),
  );
}

/** @param {string} name @param {(selection: Selection) => void} select */
function nameButton(name, select) {
  return h("button", { class: `chip ${serviceClass(name)}`, type: "button", on: { click: () => select({ node: name }) } }, middle(name));
}
