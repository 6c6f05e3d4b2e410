/** Places of nodes and routes of edges: layered from left to right, and kept between refreshes. */

import dagre, { Graph as Layered } from "../../vendor/dagre/dagre.js";
import { places } from "./layers.js";
import { title } from "./model.js";

/**
 * @typedef {import("./model.js").Graph} Graph
 * @typedef {{x: number, y: number}} Point
 * @typedef {Point & {width: number, height: number}} Box x and y of the centre
 * @typedef {{points: Point[], label: Point}} Route
 * @typedef {"LR" | "TB"} Direction left to right, or top to bottom where there is more height than width
 * @typedef {{boxes: Map<string, Box>, routes: Map<string, Route>, direction: Direction}} Layout
 */

export const BOX = { height: 44, widest: 216, narrowest: 136 };
const CHIP = { width: 104, height: 20 };
const GAP = { layer: 28, node: 28, free: 24 };
const MOST = { nodes: 80, edges: 160 }; // that dagre lays out within half a second
const LOOP = 30; // height of a call from a service to itself
export const CHARACTER = 8; // pixels of a letter in the bold 12 px of names

/** @param {import("./model.js").Node} node @returns {number} width of its box */
export function boxWidth(node) {
  return Math.min(Math.max([...title(node)].length * CHARACTER + 54, BOX.narrowest), BOX.widest);
}

/** @param {Graph} graph @param {Direction} direction @returns {Layout} */
export function layered(graph, direction) {
  return graph.nodes.length > MOST.nodes || graph.edges.length > MOST.edges ? quick(graph, direction) : careful(graph, direction);
}

/** @param {Graph} graph @param {Direction} direction @returns {Layout} */
function quick(graph, direction) {
  const sizes = new Map(graph.nodes.map((node) => [node.id, { width: boxWidth(node), height: BOX.height }]));
  const gap = { layer: CHIP.width + 2 * GAP.layer, node: GAP.node };
  const found = places(graph, direction, (id) => sizes.get(id) ?? { width: BOX.widest, height: BOX.height }, gap);
  const boxes = new Map([...found].map(([id, centre]) => [id, { ...centre, ...(sizes.get(id) ?? { width: BOX.widest, height: BOX.height }) }]));
  const routes = new Map(graph.edges.map(({ key, parent, child }) => [key, straight(boxes.get(parent), boxes.get(child), direction)]));
  return { boxes, routes, direction };
}

/** @param {Graph} graph @param {Direction} direction @returns {Layout} */
function careful({ nodes, edges }, direction) {
  const graph = new Layered({ multigraph: true }); // one edge a protocol
  graph.setGraph({ rankdir: direction, ranksep: GAP.layer, nodesep: GAP.node, edgesep: 16, marginx: 24, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  const loops = new Set(edges.filter(({ parent, child }) => parent === child).map(({ parent }) => parent));
  // dagre keeps its nodes in plain objects: a service may be called __proto__, a number never is.
  const numbers = new Map(nodes.map(({ id }, i) => [id, String(i)]));
  const number = (/** @type {string} */ id) => numbers.get(id) ?? "";
  for (const node of nodes) {
    // A loop stands above its box: keep its height free, below too, so that the box stays in the middle.
    graph.setNode(number(node.id), { width: boxWidth(node), height: BOX.height + (loops.has(node.id) ? 2 * (LOOP + CHIP.height / 2) : 0) });
  }
  const between = edges.filter(({ parent, child }) => parent !== child);
  for (const { parent, child, key } of between) graph.setEdge(number(parent), number(child), { ...CHIP, labelpos: "c" }, key);
  dagre.layout(graph);
  const boxes = new Map(nodes.map(({ id }) => [id, pick(graph.node(number(id)))]));
  const routes = new Map(
    edges.map(({ parent, child, key }) => [key, parent === child ? straight(boxes.get(parent), boxes.get(child), direction) : route(graph.edge(number(parent), number(child), key), boxes.get(parent), boxes.get(child))]),
  );
  return { boxes, routes, direction };
}

/** @param {any} box @returns {Box} */
function pick({ x, y, width }) {
  return { x, y, width, height: BOX.height };
}

/** @param {any} edge @param {any} from @param {any} to boxes @returns {Route} */
function route({ points, x, y }, from, to) {
  const inner = points.slice(1, -1).map((/** @type {Point} */ p) => ({ x: p.x, y: p.y }));
  return { points: [border(from, inner[0]), ...inner, border(to, inner[inner.length - 1])], label: { x, y } };
}

/** Where the line from the centre of a box towards a point leaves it. @param {Box} box @param {Point} toward @returns {Point} */
function border(box, toward) {
  const [dx, dy] = [toward.x - box.x, toward.y - box.y];
  const part = Math.min(box.width / 2 / Math.max(Math.abs(dx), 1e-9), box.height / 2 / Math.max(Math.abs(dy), 1e-9));
  return { x: box.x + dx * part, y: box.y + dy * part };
}

/**
 * Keeps what was there where it was; a new node takes a free place in its layer.
 * @param {Layout} before @param {Graph} graph @returns {Layout}
 */
export function settled(before, graph) {
  const { direction } = before;
  const fresh = layered(graph, direction);
  const boxes = new Map();
  for (const { id } of graph.nodes) {
    const kept = before.boxes.get(id);
    if (kept) boxes.set(id, kept);
  }
  if (boxes.size === 0) return fresh;
  for (const { id } of graph.nodes) {
    if (!boxes.has(id)) boxes.set(id, freePlace(fresh.boxes.get(id), graph, id, boxes, direction));
  }
  const routes = new Map();
  for (const { key, parent, child } of graph.edges) {
    routes.set(key, before.routes.get(key) ?? straight(boxes.get(parent), boxes.get(child), direction));
  }
  return { boxes, routes, direction };
}

/** @param {any} wanted @param {Graph} graph @param {string} id @param {Map<string, Box>} boxes @param {Direction} direction @returns {Box} */
function freePlace(wanted, graph, id, boxes, direction) {
  const caller = graph.edges.map(({ parent, child }) => (child === id ? boxes.get(parent) : undefined)).find(Boolean);
  const box = { ...wanted };
  if (caller && direction === "LR") {
    box.x = caller.x + (caller.width + box.width) / 2 + CHIP.width + 2 * GAP.layer;
    box.y = caller.y;
  } else if (caller) {
    box.x = caller.x;
    box.y = caller.y + BOX.height + CHIP.height + 2 * GAP.layer;
  }
  const taken = [...boxes.values()];
  for (let step = 0; ; step++) {
    // To one side within the layer, to the other, further to the one, further to the other
    const shift = Math.ceil(step / 2) * (step % 2 ? 1 : -1);
    const place = direction === "LR" ? { ...box, y: box.y + shift * (BOX.height + GAP.free) } : { ...box, x: box.x + shift * (box.width + GAP.free) };
    if (!taken.some((other) => overlap(place, other))) return place;
  }
}

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  return Math.abs(a.x - b.x) < (a.width + b.width) / 2 + GAP.free / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2 + GAP.free / 2;
}

/** A route without a layout. @param {any} from @param {any} to boxes @param {Direction} direction @returns {Route} */
export function straight(from, to, direction) {
  if (from === to) return loop(from);
  const across = direction === "LR";
  const sign = (across ? from.x <= to.x : from.y <= to.y) ? 1 : -1;
  const port = (/** @type {Box} */ box, /** @type {number} */ side) =>
    across ? { x: box.x + (side * box.width) / 2, y: box.y } : { x: box.x, y: box.y + (side * box.height) / 2 };
  const [start, end] = [port(from, sign), port(to, -sign)];
  const label = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  return { points: [start, label, end], label };
}

/** @param {Box} box @returns {Route} */
function loop({ x, y, height }) {
  const [top, high] = [y - height / 2, y - height / 2 - LOOP];
  return { points: [{ x: x - 30, y: top }, { x: x - 30, y: high }, { x: x + 30, y: high }, { x: x + 30, y: top }], label: { x, y: high + 4 } };
}
