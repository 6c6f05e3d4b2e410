/** The service graph as drawn, from `GET /api/vigla/v1/graph/spans`. */

/**
 * @typedef {"healthy" | "degraded" | "failure"} Health
 * @typedef {{name: string, spans: number, errors: number, p50: number, p95: number, share: number, health: Health}} Node
 * @typedef {{key: string, parent: string, child: string, calls: number, errors: number, p95: number, rate: number,
 *   share: number, health: Health}} Edge rate in calls a second, p50 and p95 in microseconds, share of errors 0 to 1
 * @typedef {{nodes: Node[], edges: Edge[]}} Graph in order of names
 */

const SHARE = { degraded: 0.001, failure: 0.1 }; // of calls failed; below the first, a few among very many
const MS = 1000;

/** @param {any} answer @param {number} seconds of the time range @returns {Graph} */
export function readGraph(answer, seconds) {
  const nodes = answer.nodes.map((/** @type {any} */ node) => ({
    name: node.service,
    spans: node.spans,
    errors: node.errors,
    p50: node.p50 * MS,
    p95: node.p95 * MS,
    ...judge(node.errors, node.spans),
  }));
  const known = new Set(nodes.map((/** @type {Node} */ node) => node.name));
  const edges = answer.edges
    .filter((/** @type {any} */ { parent, child }) => known.has(parent) && known.has(child))
    .map((/** @type {any} */ edge) => ({
      key: edgeKey(edge.parent, edge.child),
      parent: edge.parent,
      child: edge.child,
      calls: edge.calls,
      errors: edge.errors,
      p95: edge.p95 * MS,
      rate: edge.calls / Math.max(seconds, 1),
      ...judge(edge.errors, edge.calls),
    }));
  return { nodes: nodes.sort(byText("name")), edges: edges.sort(byText("key")) };
}

/** @param {string} parent @param {string} child */
export function edgeKey(parent, child) {
  return JSON.stringify([parent, child]);
}

/** @param {number} errors @param {number} of @returns {{share: number, health: Health}} */
function judge(errors, of) {
  const share = of > 0 ? errors / of : 0;
  return { share, health: share >= SHARE.failure ? "failure" : share >= SHARE.degraded ? "degraded" : "healthy" };
}

/** @param {string} field @returns {(a: any, b: any) => number} */
function byText(field) {
  return (a, b) => (a[field] < b[field] ? -1 : Number(a[field] > b[field]));
}

/** Names next to one, and the edges between. @param {Graph} graph @param {string} name */
export function neighbourhood({ edges }, name) {
  const near = edges.filter(({ parent, child }) => parent === name || child === name);
  return { names: new Set([name, ...near.flatMap(({ parent, child }) => [parent, child])]), keys: new Set(near.map(({ key }) => key)) };
}
