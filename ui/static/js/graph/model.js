/** The graph of the mesh as drawn, from `GET /api/vigla/v1/graph`. */

/**
 * @typedef {"healthy" | "degraded" | "failure" | "idle"} Health
 * @typedef {"app" | "workload" | "service" | "database" | "queue" | "external" | "unknown"} Kind
 * @typedef {{id: string, name: string, version: string, namespace: string, workload: string, kind: Kind, root: boolean,
 *   rate: number, errors: number, bytes: number, p95: number | null, share: number, health: Health}} Node
 *   rate and errors of calls a second: of those it gets, or makes if it gets none
 * @typedef {{key: string, parent: string, child: string, from: string, to: string, protocol: string, rate: number,
 *   bytes: number, errors: number, p95: number | null, share: number, mtls: number | null,
 *   codes: [string, number][], flags: [string, number][], health: Health}} Edge
 *   parent and child are ids, from and to names; p95 in microseconds, share of errors 0 to 1, mtls in percent
 * @typedef {{nodes: Node[], edges: Edge[]}} Graph in order of names
 */

const MS = 1000;
/** @type {Record<string, Health>} */
const HEALTH = { Healthy: "healthy", Degraded: "degraded", Failure: "failure", NA: "idle" };

/** @param {any} answer @returns {Graph} */
export function readGraph(answer) {
  /** @type {Node[]} */
  const nodes = answer.nodes.map((/** @type {any} */ node) => {
    const calls = node.in.rate || node.in.bytes ? node.in : node.out;
    return {
      id: node.id,
      name: node.name,
      version: node.version === "latest" ? "" : node.version,
      namespace: node.namespace,
      workload: node.workload,
      kind: node.kind,
      root: node.marks.includes("isRoot"),
      rate: calls.rate,
      errors: calls.errors,
      bytes: calls.bytes,
      p95: micro(calls.p95_ms),
      share: part(calls.errors, calls.rate),
      health: HEALTH[node.health] ?? "idle",
    };
  });
  const names = new Map(nodes.map((node) => [node.id, title(node)]));
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
        p95: micro(edge.p95_ms),
        share: part(edge.errors, edge.rate),
        mtls: edge.mtls_percent,
        codes: ordered(edge.codes),
        flags: ordered(edge.flags),
        health: HEALTH[edge.health] ?? "idle",
      };
    });
  return { nodes: nodes.sort(byText("id")), edges: edges.sort(byText("key")) };
}

/** Name and version. @param {{name: string, version: string}} node */
export function title({ name, version }) {
  return version ? `${name} ${version}` : name;
}

/** @param {number | null} ms */
function micro(ms) {
  return ms === null ? null : ms * MS;
}

/** @param {number} errors @param {number} of */
function part(errors, of) {
  return of > 0 ? Math.min(errors / of, 1) : 0;
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
