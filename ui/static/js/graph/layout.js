/** Places of nodes and routes of edges: layered from left to right, and kept between refreshes. */

import dagre, { Graph as Layered } from "../../vendor/dagre/dagre.js";

/**
 * @typedef {import("./model.js").Graph} Graph
 * @typedef {{x: number, y: number}} Point
 * @typedef {Point & {width: number, height: number}} Box x and y of the centre
 * @typedef {{points: Point[], label: Point}} Route
 * @typedef {{boxes: Map<string, Box>, routes: Map<string, Route>}} Layout
 */

export const BOX = { height: 44, widest: 200, narrowest: 96 };
const CHIP = { width: 104, height: 20 };
const GAP = { layer: 28, node: 28, free: 24 };
const CHARACTER = 7.1; // pixels of a letter in the bold 12 px of names

/** @param {string} name @returns {number} width of its box */
export function boxWidth(name) {
  return Math.min(Math.max([...name].length * CHARACTER + 48, BOX.narrowest), BOX.widest);
}

/** @param {Graph} graph @returns {Layout} */
export function layered({ nodes, edges }) {
  const graph = new Layered({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ranksep: GAP.layer, nodesep: GAP.node, edgesep: 16, marginx: 24, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name } of nodes) graph.setNode(name, { width: boxWidth(name), height: BOX.height });
  for (const { parent, child, key } of edges) graph.setEdge(parent, child, { ...CHIP, labelpos: "c" }, key);
  dagre.layout(graph);
  const boxes = new Map(nodes.map(({ name }) => [name, pick(graph.node(name))]));
  const routes = new Map(edges.map(({ parent, child, key }) => [key, route(graph.edge(parent, child, key))]));
  return { boxes, routes };
}

/** @param {any} box @returns {Box} */
function pick({ x, y, width, height }) {
  return { x, y, width, height };
}

/** @param {any} edge @returns {Route} */
function route({ points, x, y }) {
  return { points: points.map((/** @type {Point} */ p) => ({ x: p.x, y: p.y })), label: { x, y } };
}

/**
 * Keeps what was there where it was; a new node takes a free place in its layer.
 * @param {Layout} before @param {Graph} graph @returns {Layout}
 */
export function settled(before, graph) {
  const fresh = layered(graph);
  const boxes = new Map();
  for (const { name } of graph.nodes) {
    const kept = before.boxes.get(name);
    if (kept) boxes.set(name, kept);
  }
  if (boxes.size === 0) return fresh;
  for (const { name } of graph.nodes) {
    if (!boxes.has(name)) boxes.set(name, freePlace(fresh.boxes.get(name), graph, name, boxes));
  }
  const routes = new Map();
  for (const { key, parent, child } of graph.edges) {
    routes.set(key, before.routes.get(key) ?? straight(boxes.get(parent), boxes.get(child)));
  }
  return { boxes, routes };
}

/** @param {any} wanted @param {Graph} graph @param {string} name @param {Map<string, Box>} boxes @returns {Box} */
function freePlace(wanted, graph, name, boxes) {
  const caller = graph.edges.map(({ parent, child }) => (child === name ? boxes.get(parent) : undefined)).find(Boolean);
  const box = { ...wanted };
  if (caller) {
    box.x = caller.x + caller.width / 2 + CHIP.width + 2 * GAP.layer + box.width / 2;
    box.y = caller.y;
  }
  const taken = [...boxes.values()];
  for (let step = 0; ; step++) {
    // Below, above, further below, further above
    const y = box.y + Math.ceil(step / 2) * (step % 2 ? 1 : -1) * (BOX.height + GAP.free);
    if (!taken.some((other) => overlap({ ...box, y }, other))) return { ...box, y };
  }
}

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  return Math.abs(a.x - b.x) < (a.width + b.width) / 2 + GAP.free / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2 + GAP.free / 2;
}

/** @param {Box} from @param {Box} to @returns {Route} */
export function straight(from, to) {
  if (from === to) {
    const [x, top] = [from.x, from.y - from.height / 2];
    return { points: [{ x: x - 16, y: top }, { x: x - 16, y: top - 24 }, { x: x + 16, y: top - 24 }, { x: x + 16, y: top }], label: { x, y: top - 24 } };
  }
  const forward = from.x <= to.x;
  const start = { x: from.x + (forward ? from.width / 2 : -from.width / 2), y: from.y };
  const end = { x: to.x + (forward ? -to.width / 2 : to.width / 2), y: to.y };
  const label = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  return { points: [start, label, end], label };
}
