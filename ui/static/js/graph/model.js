/** The graph of the mesh as drawn, from `GET /api/vigla/v1/graph`. */

import { t } from "../lib/texts.js";

/**
 * @typedef {"healthy" | "degraded" | "failure" | "idle"} Health
 * @typedef {"app" | "workload" | "service" | "database" | "queue" | "external" | "unknown"} Kind
 * @typedef {{id: string, name: string, version: string, namespace: string, workload: string, app: string, kind: Kind, root: boolean,
 *   badges: string[], rate: number, errors: number, bytes: number, p95: number | null, share: number, health: Health,
 *   reasons: string[]}} Node rate and errors of calls a second: of those it gets, or makes if it gets none
 * @typedef {{key: string, parent: string, child: string, from: string, to: string, protocol: string, rate: number,
 *   bytes: number, errors: number, p50: number | null, p95: number | null, p99: number | null, share: number,
 *   mtls: number | null, principals: {source: string, destination: string}[], codes: [string, number][],
 *   flags: [string, number][], health: Health, reasons: string[]}} Edge
 *   parent and child are ids, from and to names; times in microseconds, share of errors 0 to 1, mtls in percent
 * @typedef {{nodes: Node[], edges: Edge[]}} Graph in order of names
 */

const MS = 1000;
/** @type {Record<string, Health>} */
const HEALTH = { Healthy: "healthy", Degraded: "degraded", Failure: "failure", NA: "idle" };

/** @param {any} answer @returns {Graph} */
export function readGraph(answer) {
  const names = new Map(answer.nodes.map((/** @type {any} */ node) => [node.id, title({ name: node.name, version: said(node.version) })]));
  /** @type {Edge[]} */
  const edges = answer.edges
    .filter((/** @type {any} */ { source, target }) => names.has(source) && names.has(target))
    .map((/** @type {any} */ edge) => {
      const tcp = edge.protocol === "tcp";
      return {
        key: edge.id,
        parent: edge.source,
        child: edge.target,
        from: names.get(edge.source),
        to: names.get(edge.target),
        protocol: edge.protocol,
        rate: tcp ? 0 : edge.rate,
        bytes: tcp ? edge.rate : 0,
        errors: edge.errors,
        p50: micro(edge.p50_ms),
        p95: micro(edge.p95_ms),
        p99: micro(edge.p99_ms),
        share: edge.error_ratio ?? 0,
        mtls: edge.mtls === null ? null : Math.round(edge.mtls * 100),
        principals: edge.principals,
        codes: ordered(edge.codes),
        flags: ordered(edge.flags),
        ...judged(edge.health),
      };
    });
  const nodes = answer.nodes.map((/** @type {any} */ node) => ({
    id: node.id,
    name: node.name,
    version: said(node.version),
    namespace: said(node.namespace),
    workload: said(node.workload),
    app: said(node.app),
    kind: node.kind,
    root: node.badges.isRoot === true,
    badges: Object.keys(node.badges).filter((name) => name in BADGES),
    ...sums(edges, node.id),
    ...judged(node.health),
  }));
  return { nodes: nodes.sort(byText("id")), edges: edges.sort(byText("key")) };
}

/** What the configuration does at a node, by Kiali's names. */
export const BADGES = {
  hasVS: t("virtual service"),
  hasRequestRouting: t("request routing"),
  hasTrafficShifting: t("traffic shifting"),
  hasTCPTrafficShifting: t("TCP traffic shifting"),
  hasFaultInjection: t("fault injection"),
  hasRequestTimeout: t("request timeout"),
  hasMirroring: t("mirroring"),
  hasCB: t("circuit breaker"),
};

/** Of the calls that a node gets, or makes if it gets none. @param {Edge[]} edges @param {string} id */
function sums(edges, id) {
  const incoming = edges.filter(({ child }) => child === id);
  const calls = incoming.length ? incoming : edges.filter(({ parent }) => parent === id);
  const sum = (/** @type {"rate" | "errors" | "bytes"} */ field) => calls.reduce((total, edge) => total + edge[field], 0);
  const slowest = calls.map(({ p95 }) => p95).filter((p95) => p95 !== null);
  const [rate, errors] = [sum("rate"), sum("errors")];
  return { rate, errors, bytes: sum("bytes"), p95: slowest.length ? Math.max(...slowest) : null, share: rate > 0 ? Math.min(errors / rate, 1) : 0 };
}

/** @param {{status: string, reasons: string[]}} health @returns {{health: Health, reasons: string[]}} */
function judged({ status, reasons }) {
  return { health: healthOf(status), reasons };
}

/** @param {string} status in Kiali's words @returns {Health} */
export function healthOf(status) {
  return HEALTH[status] ?? "idle";
}

/** Labels say `unknown` and `latest` where they know nothing. @param {string | null} text */
function said(text) {
  return text === null || text === "unknown" || text === "latest" ? "" : text;
}

/** Name and version. @param {{name: string, version: string}} node */
export function title({ name, version }) {
  return version ? `${name} ${version}` : name;
}

/** @param {number | null} ms */
function micro(ms) {
  return ms === null ? null : ms * MS;
}

/** @param {Record<string, number>} counts @returns {[string, number][]} the greatest first */
function ordered(counts) {
  return Object.entries(counts).sort(([, a], [, b]) => b - a);
}

/** @param {string} field @returns {(a: any, b: any) => number} */
function byText(field) {
  return (a, b) => (a[field] < b[field] ? -1 : Number(a[field] > b[field]));
}

/** Ids next to one, and the edges between. @param {Graph} graph @param {string} id */
export function neighbourhood({ edges }, id) {
  const near = edges.filter(({ parent, child }) => parent === id || child === id);
  return { ids: new Set([id, ...near.flatMap(({ parent, child }) => [parent, child])]), keys: new Set(near.map(({ key }) => key)) };
}

/** Nodes, and the calls between them. @param {Graph} graph @param {Set<string>} ids @returns {{ids: Set<string>, keys: Set<string>}} */
export function among({ edges }, ids) {
  return { ids, keys: new Set(edges.filter(({ parent, child }) => ids.has(parent) && ids.has(child)).map(({ key }) => key)) };
}
