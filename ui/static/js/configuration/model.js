/** The mesh's configuration as the API tells it. */

/**
 * @typedef {{key: string, kind: string, namespace: string, name: string, file: string}} Item
 * @typedef {{code: string, level: "error" | "warning" | "info", text: string, line: number, object: string}} Finding line 0: of the whole
 * @typedef {{number: number, time: string, author: string, message: string, changes: {kind: string, namespace: string, name: string, change: string}[]}} Revision
 */

/** @param {any} answer of `/config` @returns {Item[]} Istio's first; by kind, namespace and name */
export function readItems(answer) {
  const own = (/** @type {any} */ item) => Number(!item.apiVersion.includes("istio.io/"));
  return [...answer.items]
    .sort((a, b) => own(a) - own(b) || order(keyOf(a.kind, a.namespace, a.metadata.name), keyOf(b.kind, b.namespace, b.metadata.name)))
    .map((/** @type {any} */ item) => {
      const { kind, namespace, metadata, origin } = item;
      return { key: keyOf(kind, namespace, metadata.name), kind, namespace, name: metadata.name, file: origin.file };
    });
}

/** @param {string} a @param {string} b */
function order(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** @param {string} kind @param {string} namespace @param {string} name */
export function keyOf(kind, namespace, name) {
  return `${kind} ${namespace}/${name}`;
}

/** @param {any} answer of `/analyze`, or of a dry run @returns {Finding[]} the worst first */
export function readFindings(answer) {
  const problems = (answer.problems ?? answer.files ?? []).map((/** @type {any} */ p) => ({
    code: "", level: level(p.severity), text: p.field ? `${p.field}: ${p.message}` : p.message, line: p.line, object: p.subject,
  }));
  const messages = (answer.messages ?? []).map((/** @type {any} */ m) => ({ code: m.code, level: level(m.level), text: m.text, line: m.line, object: m.object }));
  const order = ["error", "warning", "info"];
  return [...problems, ...messages].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level) || a.line - b.line);
}

/** @param {string} text @returns {"error" | "warning" | "info"} */
function level(text) {
  const word = text.toLowerCase();
  return word === "error" || word === "warning" ? word : "info";
}

/** The worst finding of each object. @param {Finding[]} findings @returns {Map<string, {level: string, count: number}>} */
export function byObject(findings) {
  const found = new Map();
  for (const { object, level } of findings) {
    const known = found.get(object);
    if (known) known.count += 1;
    else found.set(object, { level, count: 1 });
  }
  return found;
}

/** @param {Item[]} items @param {string} text part of kind, namespace or name @returns {Map<string, Item[]>} by kind */
export function grouped(items, text) {
  const wanted = text.trim().toLowerCase();
  const found = new Map();
  for (const item of items) {
    if (wanted && !item.key.toLowerCase().includes(wanted)) continue;
    if (!found.has(item.kind)) found.set(item.kind, []);
    found.get(item.kind).push(item);
  }
  return found;
}

/** What a line of a unified diff is. @param {string} line @returns {"head" | "added" | "removed" | "same"} */
export function lineOf(line) {
  if (/^(---|\+\+\+|@@)/.test(line)) return "head";
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same";
}

export const TEMPLATE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: default
spec:
  hosts:
  - reviews
  http:
  - route:
    - destination:
        host: reviews
        subset: v1
      weight: 90
    - destination:
        host: reviews
        subset: v2
      weight: 10
`;
