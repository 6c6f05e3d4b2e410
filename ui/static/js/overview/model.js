/** Is anything wrong? What runs, how well, and how well it was. */

import { healthOf, readGraph } from "../graph/model.js";

/** @typedef {import("../graph/model.js").Health} Health */
/**
 * @typedef {{name: string, namespace: string, kind: string, health: Health, reasons: string[], rate: number, bytes: number,
 *   share: number, p95: number | null, history: Health[]}} Row rate in calls a second, p95 in microseconds, history oldest first
 * @typedef {{namespace: string, health: Health, rows: Row[], history: Health[]}} Space
 */

export const ORDER = /** @type {const} */ (["failure", "degraded", "healthy", "idle"]);

/**
 * @param {any} graph of apps, from `/graph` @param {any} health from `/health`
 * @returns {Space[]} by namespace, what has none last; in each the worst first
 */
export function spaces(graph, health) {
  const past = new Map(health.objects.map((/** @type {any} */ each) => [`${each.namespace}/${each.name}`, each.history.map(healthOf)]));
  const ofSpace = new Map(health.namespaces.map((/** @type {any} */ each) => [each.namespace, each.history.map(healthOf)]));
  /** @type {Map<string, Row[]>} */
  const found = new Map();
  for (const node of readGraph(graph).nodes) {
    if (node.kind === "unknown") continue;
    const rows = found.get(node.namespace) ?? [];
    found.set(node.namespace, rows);
    const { name, namespace, kind, reasons, rate, bytes, share, p95 } = node;
    rows.push({ name, namespace, kind, health: node.health, reasons, rate, bytes, share, p95, history: past.get(`${namespace}/${name}`) ?? [] });
  }
  return [...found]
    .map(([namespace, rows]) => ({ namespace, rows: rows.sort(worstFirst), health: rows[0].health, history: ofSpace.get(namespace) ?? [] }))
    .sort((a, b) => Number(!a.namespace) - Number(!b.namespace) || (a.namespace < b.namespace ? -1 : 1));
}

/** @param {Row} a @param {Row} b */
function worstFirst(a, b) {
  return ORDER.indexOf(a.health) - ORDER.indexOf(b.health) || b.share - a.share || b.rate - a.rate || (a.name < b.name ? -1 : 1);
}

/** How many are in each state. @param {Space[]} all @returns {Record<Health, number>} */
export function counts(all) {
  const found = { failure: 0, degraded: 0, healthy: 0, idle: 0 };
  for (const { rows } of all) for (const { health } of rows) found[health] += 1;
  return found;
}
