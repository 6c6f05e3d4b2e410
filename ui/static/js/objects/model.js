/** Services, workloads and applications: what is known of each, from the graph, the configuration and the proxies. */

import { healthOf, readGraph } from "../graph/model.js";

/** @typedef {import("../lib/health.js").Health} Health @typedef {import("../graph/model.js").Graph} Graph @typedef {import("../graph/model.js").Edge} Edge */
/**
 * @typedef {"services" | "workloads" | "applications"} Plural
 * @typedef {{namespace: string, name: string}} Place namespace empty: known from spans only
 * @typedef {{namespace: string, name: string, node: string | null, kind: string, health: Health, reasons: string[], rate: number, bytes: number,
 *   errors: number, share: number, p95: number | null, mtls: number | null, badges: string[], versions: string[]}} Row
 *   node: id in the graph; null without traffic. rate, errors and bytes a second of calls it gets; p95 in microseconds; mtls in percent
 */

/** How the graph calls each list. @type {Record<Plural, {type: string, kind: string}>} */
export const LISTS = {
  services: { type: "service", kind: "service" },
  workloads: { type: "workload", kind: "workload" },
  applications: { type: "app", kind: "app" },
};
const NOT_LISTED = new Set(["unknown"]);

/** @param {string} path below the base path @returns {{list: Plural, place: Place | null} | null} */
export function readPath(path) {
  const [list, namespace, ...rest] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (!(list in LISTS)) return null;
  const name = rest.join("/");
  return { list: /** @type {Plural} */ (list), place: name ? { namespace: namespace === "-" ? "" : namespace, name } : null };
}

/** @param {Plural} list @param {Place} place */
export function pathOf(list, { namespace, name }) {
  return `/${list}/${encodeURIComponent(namespace || "-")}/${encodeURIComponent(name)}`;
}

/** Where an object of the graph has its page. @param {{kind: string, namespace: string, name: string}} node @returns {string | null} */
export function pageOf({ kind, namespace, name }) {
  if (kind === "unknown") return null;
  const list = kind === "workload" ? "workloads" : kind === "app" ? "applications" : "services";
  return pathOf(list, { namespace, name });
}

/**
 * @param {Plural} list @param {any} answer of the graph of this type
 * @param {Place[]} others known otherwise, maybe without traffic @returns {Row[]} by namespace and name
 */
export function rows(list, answer, others) {
  const graph = readGraph(answer);
  const { kind } = LISTS[list];
  /** @type {Map<string, Row>} */
  const found = new Map();
  for (const node of graph.nodes) {
    // What no proxy reports (databases, callers by spans) is a service, if anything.
    const own = node.kind === kind || (list === "services" && node.kind !== "app" && node.kind !== "workload");
    if (!own || NOT_LISTED.has(node.kind)) continue;
    found.set(key(node), rowOf(node, graph.edges));
  }
  for (const place of others) if (!found.has(key(place))) found.set(key(place), quiet(place, kind));
  return [...found.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** @param {import("../graph/model.js").Node} node @param {Edge[]} edges @returns {Row} */
function rowOf(node, edges) {
  const incoming = edges.filter(({ child }) => child === node.id);
  const known = incoming.map(({ mtls }) => mtls).filter((each) => each !== null);
  const { namespace, name, kind, health, reasons, rate, bytes, errors, share, p95, badges, version } = node;
  return { namespace, name, node: node.id, kind, health, reasons, rate, bytes, errors, share, p95, badges, mtls: known.length ? Math.min(...known) : null, versions: version ? [version] : [] };
}

/** @param {Place} place @param {string} kind @returns {Row} */
function quiet({ namespace, name }, kind) {
  return { namespace, name, node: null, kind, health: "idle", reasons: [], rate: 0, bytes: 0, errors: 0, share: 0, p95: null, mtls: null, badges: [], versions: [] };
}

/** @param {Place} place */
function key({ namespace, name }) {
  return `${namespace}/${name}`;
}

/** Objects of the configuration or of proxies. @param {Plural} list @param {any} services of `/config?kind=Service` @param {any} proxies @returns {Place[]} */
export function configured(list, services, proxies) {
  if (list === "services") return (services?.items ?? []).map((/** @type {any} */ { namespace, metadata }) => ({ namespace, name: metadata.name }));
  if (list === "workloads") return (proxies?.proxies ?? []).filter((/** @type {any} */ { workload }) => workload).map((/** @type {any} */ { namespace, workload }) => ({ namespace, name: workload }));
  return [];
}

const ORDER = ["failure", "degraded", "healthy", "idle"];
/** @type {Record<string, (a: Row, b: Row) => number>} */
const SORTS = {
  name: (a, b) => (key(a) < key(b) ? -1 : 1),
  health: (a, b) => ORDER.indexOf(a.health) - ORDER.indexOf(b.health) || b.share - a.share || b.rate - a.rate,
  rate: (a, b) => b.rate - a.rate || b.bytes - a.bytes,
  errors: (a, b) => b.share - a.share || b.errors - a.errors,
  p95: (a, b) => (b.p95 ?? -1) - (a.p95 ?? -1),
};

/** @param {Row[]} all @param {string} sort a column; health if it is none @returns {Row[]} */
export function sorted(all, sort) {
  const order = SORTS[sort] ?? SORTS.health;
  return [...all].sort((a, b) => order(a, b) || SORTS.name(a, b));
}

/** @param {Row[]} all @param {string} text part of name or namespace @returns {Row[]} */
export function filtered(all, text) {
  const wanted = text.trim().toLowerCase();
  return wanted ? all.filter((row) => key(row).toLowerCase().includes(wanted)) : all;
}

/** An object with its direct neighbours. @param {Graph} graph @param {string | null} id @returns {Graph} */
export function around({ nodes, edges }, id) {
  const near = edges.filter(({ parent, child }) => parent === id || child === id);
  const ids = new Set([id, ...near.flatMap(({ parent, child }) => [parent, child])]);
  return { nodes: nodes.filter((node) => ids.has(node.id)), edges: near };
}

/** @param {Graph} graph @param {Plural} list @param {Place} place @returns {import("../graph/model.js").Node | null} */
export function find({ nodes }, list, place) {
  const own = nodes.filter(({ name, namespace }) => name === place.name && namespace === place.namespace);
  return own.find(({ kind }) => kind === LISTS[list].kind) ?? own[0] ?? null;
}

/** Health of one object over time. @param {any} answer of `/health` @param {Plural} list @param {Place} place @returns {Health[]} */
export function historyOf(answer, list, { namespace, name }) {
  const { kind } = LISTS[list];
  const found = answer.objects.find((/** @type {any} */ each) => each.kind === kind && each.namespace === namespace && each.name === name);
  return found ? found.history.map(healthOf) : [];
}
