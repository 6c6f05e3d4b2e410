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
 * @typedef {Direction | "circle"} Arrangement
 * @typedef {{boxes: Map<string, Box>, routes: Map<string, Route>, direction: Direction, groups?: import("./groups.js").Group[]}} Layout
 * @typedef {Map<string, {width: number, height: number}>} Sizes of nodes that are no usual boxes
 */

export const BOX = { height: 44, widest: 216, narrowest: 136 };
const CHIP = { width: 104, height: 20 };
const GAP = { layer: 28, node: 28, free: 24 };
const MOST = { nodes: 80, edges: 160 }; // that dagre lays out within half a second
const SHAPE = 1.6; // width by height of a circle's drawing
const LOOP = 30; // height of a call from a service to itself
export const CHARACTER = 8; // pixels of a letter in the bold 12 px of names

/** @param {import("./model.js").Node} node @returns {number} width of its box */
export function boxWidth(node) {
  return Math.min(Math.max([...title(node)].length * CHARACTER + 54, BOX.narrowest), BOX.widest);
}

/** @param {Graph} graph @param {Arrangement} arrangement @returns {Layout} */
export function arranged(graph, arrangement) {
  return arrangement === "circle" ? round(graph) : layered(graph, arrangement);
}

/** On a circle, neighbours in the layers next to each other. @param {Graph} graph @returns {Layout} */
function round(graph) {
  const { boxes: before } = quick(graph, "LR", new Map());
  const order = [...before].sort(([, a], [, b]) => a.x - b.x || a.y - b.y);
  const around = order.reduce((sum, [, { width }]) => sum + Math.max(width, BOX.height) + GAP.node, 0);
  const radius = Math.max(around / (2 * Math.PI), 120);
  const boxes = new Map(
    order.map(([id, box], place) => {
      const angle = (2 * Math.PI * place) / order.length - Math.PI / 2;
      return [id, { ...box, x: radius * SHAPE * Math.cos(angle), y: radius * Math.sin(angle) }];
    }),
  );
  const routes = new Map(graph.edges.map(({ key, parent, child }) => [key, parent === child ? straight(boxes.get(parent), boxes.get(child), "LR") : chord(boxes.get(parent), boxes.get(child))]));
  return { boxes, routes, direction: "LR" };
}

/** Through the circle, bent towards its middle. @param {any} from @param {any} to boxes @returns {Route} */
function chord(from, to) {
  const label = { x: ((from.x + to.x) / 2) * 0.7, y: ((from.y + to.y) / 2) * 0.7 };
  return { points: [border(from, label), label, border(to, label)], label };
}

/** @param {Graph} graph @param {Direction} direction @param {Sizes} [given] @returns {Layout} */
export function layered(graph, direction, given = new Map()) {
  return graph.nodes.length > MOST.nodes || graph.edges.length > MOST.edges ? quick(graph, direction, given) : careful(graph, direction, given);
}

/** @param {Graph} graph @param {Direction} direction @param {Sizes} given @returns {Layout} */
function quick(graph, direction, given) {
  const sizes = new Map(graph.nodes.map((node) => [node.id, given.get(node.id) ?? { width: boxWidth(node), height: BOX.height }]));
  const gap = { layer: CHIP.width + 2 * GAP.layer, node: GAP.node };
  const found = places(graph, direction, (id) => sizes.get(id) ?? { width: BOX.widest, height: BOX.height }, gap);
  const boxes = new Map([...found].map(([id, centre]) => [id, { ...centre, ...(sizes.get(id) ?? { width: BOX.widest, height: BOX.height }) }]));
  const routes = new Map(graph.edges.map(({ key, parent, child }) => [key, straight(boxes.get(parent), boxes.get(child), direction)]));
  return { boxes, routes, direction };
}

/** @param {Graph} graph @param {Direction} direction @param {Sizes} given @returns {Layout} */
function careful({ nodes, edges }, direction, given) {
  const graph = new Layered({ multigraph: true }); // one edge a protocol
  graph.setGraph({ rankdir: direction, ranksep: GAP.layer, nodesep: GAP.node, edgesep: 16, marginx: 24, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  const loops = new Set(edges.filter(({ parent, child }) => parent === child).map(({ parent }) => parent));
  // dagre keeps its nodes in plain objects: a service may be called __proto__, a number never is.
  const numbers = new Map(nodes.map(({ id }, i) => [id, String(i)]));
  const number = (/** @type {string} */ id) => numbers.get(id) ?? "";
  for (const node of nodes) {
    // A loop stands above its box: keep its height free, below too, so that the box stays in the middle.
    graph.setNode(number(node.id), given.get(node.id) ?? { width: boxWidth(node), height: BOX.height + (loops.has(node.id) ? 2 * (LOOP + CHIP.height / 2) : 0) });
  }
  const between = edges.filter(({ parent, child }) => parent !== child);
  for (const { parent, child, key } of between) graph.setEdge(number(parent), number(child), { ...CHIP, labelpos: "c" }, key);
  dagre.layout(graph);
  const boxes = new Map(nodes.map(({ id }) => [id, { ...pick(graph.node(number(id))), ...given.get(id) }]));
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
 * @param {Layout} before @param {Graph} graph @param {() => Layout} anew @returns {Layout}
 */
export function settled(before, graph, anew) {
  const { direction, groups } = before;
  if (groups && graph.nodes.some(({ id }) => !before.boxes.has(id))) return anew(); // a box that grows moves all others
  const fresh = anew();
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
  return { boxes, routes, direction, groups };
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
