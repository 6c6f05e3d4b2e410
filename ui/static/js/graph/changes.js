/** The graph beside an earlier one: what is new, gone, slower, failing; and what depends on a node. */

import { h, middle } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { compact, percent } from "../lib/format.js";
import { t } from "../lib/texts.js";

/** @typedef {import("./canvas.js").Selection} Selection */
/**
 * @typedef {{rate: number, error_ratio: number, p95_ms: number | null}} Figures
 * @typedef {{id: string, from: string, to: string, before?: Figures, after?: Figures, rate?: number}} Changed
 * @typedef {{nodes: Record<"new" | "gone", any[]>, edges: Record<"new" | "gone" | "slower" | "failing", Changed[]>}} Changes
 */

/** How long before, in seconds. */
export const DISTANCES = /** @type {const} */ ([900, 3600, 86_400, 604_800]);
const MS = 1000;

/** @param {number} seconds */
export function distanceWords(seconds) {
  switch (seconds) {
    case 900:
      return t("15 minutes before");
    case 3600:
      return t("An hour before");
    case 86_400:
      return t("A day before");
    default:
      return t("A week before");
  }
}

/** Ids of nodes and ends of edges that changed and are still there. @param {Changes} changes @returns {Set<string>} */
export function touched({ nodes, edges }) {
  const ends = [...edges.new, ...edges.slower, ...edges.failing].flatMap((/** @type {any} */ { source, target }) => [source, target]);
  return new Set([...nodes.new.map(({ id }) => id), ...ends]);
}

/** @param {HTMLElement} place @param {Changes} changes @param {number} seconds @param {(selection: Selection) => void} select @param {() => void} close */
export function showChanges(place, { nodes, edges }, seconds, select, close) {
  const none = !nodes.new.length && !nodes.gone.length && Object.values(edges).every((each) => !each.length);
  place.replaceChildren(
    head(t("Changes since {time}", { time: distanceWords(seconds).toLowerCase() }), close),
    none ? h("p", { class: "muted" }, t("Nothing is new, gone, slower or failing.")) : "",
    group(t("Failing more"), edges.failing.map((each) => edgeRow(each, `${percent(each.before?.error_ratio ?? 0)} → ${percent(each.after?.error_ratio ?? 0)}`, select))),
    group(t("Slower (p95)"), edges.slower.map((each) => edgeRow(each, `${ms(each.before)} → ${ms(each.after)}`, select))),
    group(t("New calls"), edges.new.map((each) => edgeRow(each, `${compact(each.rate ?? 0)}/s`, select))),
    group(t("Calls that are gone"), edges.gone.map((each) => edgeRow(each, "", null))),
    group(t("New nodes"), nodes.new.map((node) => nodeRow(node, "", select))),
    group(t("Nodes that are gone"), nodes.gone.map((node) => nodeRow(node, "", null))),
  );
  place.hidden = false;
}

/** @param {HTMLElement} place @param {any} answer of `/graph/dependents` @param {(selection: Selection) => void} select @param {() => void} close */
export function showDependents(place, { nodes, dependents }, select, close) {
  const name = nodes[0]?.name ?? "";
  /** @type {Map<number, any[]>} */
  const byDistance = new Map();
  for (const each of dependents) byDistance.set(each.distance, [...(byDistance.get(each.distance) ?? []), each]);
  place.replaceChildren(
    head(t("What depends on {name}", { name }), close),
    dependents.length ? "" : h("p", { class: "muted" }, t("Nothing calls it.")),
    ...[...byDistance].map(([distance, all]) => group(distance === 1 ? t("Calls it directly") : t("Through {count} others", { count: distance - 1 }), all.map((node) => nodeRow(node, node.namespace ?? "", select)))),
  );
  place.hidden = false;
}

/** @param {string} title @param {() => void} close */
function head(title, close) {
  return h("div", { class: "changes-head" }, h("h2", {}, title), h("button", { class: "button quiet", type: "button", on: { click: close } }, t("Close")));
}

/** @param {string} title @param {HTMLElement[]} rows */
function group(title, rows) {
  return rows.length ? h("section", {}, h("h3", {}, title, h("span", { class: "muted" }, ` ${rows.length}`)), h("ul", { class: "panel-list" }, ...rows)) : "";
}

/** @param {Changed} edge @param {string} figures @param {((selection: Selection) => void) | null} select null: it is no longer drawn */
function edgeRow({ id, from, to }, figures, select) {
  return row(`${from} → ${to}`, figures, select && (() => select({ edge: id })));
}

/** @param {any} node @param {string} more @param {((selection: Selection) => void) | null} select */
function nodeRow({ id, name }, more, select) {
  return row(name, more, select && (() => select({ node: id })));
}

/** @param {string} name @param {string} more @param {(() => void) | null} choose */
function row(name, more, choose) {
  return h("li", {}, choose ? h("button", { class: "chip plain", type: "button", on: { click: choose } }, middle(name)) : middle(name), h("span", { class: "muted" }, more));
}

/** @param {Figures | undefined} figures */
function ms(figures) {
  return figures?.p95_ms === null || figures?.p95_ms === undefined ? "–" : duration(figures.p95_ms * MS);
}
