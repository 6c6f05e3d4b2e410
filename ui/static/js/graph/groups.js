/** Boxes around nodes of one namespace or app: members are laid out by themselves, boxes among each other. */

import { arranged, layered, straight } from "./layout.js";

/**
 * @typedef {import("./model.js").Graph} Graph @typedef {import("./layout.js").Layout} Layout
 * @typedef {"namespace" | "app"} Grouping
 * @typedef {{name: string, x: number, y: number, width: number, height: number}} Group x and y of the centre
 */

export const GROUPINGS = /** @type {const} */ (["namespace", "app"]);
const PADDING = { side: 18, top: 34, bottom: 18 };

/** @param {import("./model.js").Node} node @param {Grouping} by @returns {string} "" stands alone */
function groupOf(node, by) {
  if (by === "app") return node.kind === "unknown" || node.kind === "database" ? "" : node.name;
  return node.namespace;
}

/** @param {Graph} graph @param {import("./layout.js").Arrangement} arrangement @param {Grouping | null} by @returns {Layout} */
export function laidOut(graph, arrangement, by) {
  return by === null ? arranged(graph, arrangement) : grouped(graph, arrangement === "TB" ? "TB" : "LR", by);
}

/** @param {Graph} graph @param {import("./layout.js").Direction} direction @param {Grouping} by @returns {Layout} */
function grouped(graph, direction, by) {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const own = new Map(graph.nodes.map((node) => [node.id, groupOf(node, by) || `\0${node.id}`]));
  const parts = [...new Set(own.values())].map((name) => part(graph, name, own, direction));
  const outer = layered(outerGraph(graph, parts, own), direction, new Map(parts.map(({ name, width, height }) => [name, { width, height }])));
  /** @type {Layout["boxes"]} */
  const boxes = new Map();
  /** @type {Layout["routes"]} */
  const routes = new Map();
  /** @type {Group[]} */
  const groups = [];
  for (const { name, inner, width, height } of parts) {
    const at = outer.boxes.get(name);
    if (!at) continue;
    const framed = !name.startsWith("\0");
    const [dx, dy] = [at.x - width / 2 - inner.left + (framed ? PADDING.side : 0), at.y - height / 2 - inner.top + (framed ? PADDING.top : 0)];
    for (const [id, box] of inner.layout.boxes) boxes.set(id, { ...box, x: box.x + dx, y: box.y + dy });
    for (const [key, { points, label }] of inner.layout.routes) {
      const shift = (/** @type {{x: number, y: number}} */ point) => ({ x: point.x + dx, y: point.y + dy });
      routes.set(key, { points: points.map(shift), label: shift(label) });
    }
    if (framed) groups.push({ name, x: at.x, y: at.y, width, height });
  }
  for (const { key, parent, child } of graph.edges) {
    if (!routes.has(key) && nodes.has(parent) && nodes.has(child)) routes.set(key, straight(boxes.get(parent), boxes.get(child), direction));
  }
  return { boxes, routes, direction, groups };
}

/** One group by itself. @param {Graph} graph @param {string} name @param {Map<string, string>} own @param {import("./layout.js").Direction} direction */
function part(graph, name, own, direction) {
  const inside = {
    nodes: graph.nodes.filter(({ id }) => own.get(id) === name),
    edges: graph.edges.filter(({ parent, child }) => own.get(parent) === name && own.get(child) === name),
  };
  const inner = layered(inside, direction);
  const box = bounds(inner);
  const framed = !name.startsWith("\0");
  return {
    name,
    inner: { layout: inner, left: box.left, top: box.top },
    width: box.right - box.left + (framed ? 2 * PADDING.side : 0),
    height: box.bottom - box.top + (framed ? PADDING.top + PADDING.bottom : 0),
  };
}

/** Groups as nodes. @param {Graph} graph @param {{name: string}[]} parts @param {Map<string, string>} own @returns {any} */
function outerGraph(graph, parts, own) {
  const pairs = new Map();
  for (const edge of graph.edges) {
    const [parent, child] = [own.get(edge.parent), own.get(edge.child)];
    if (parent !== child) pairs.set(`${parent}\n${child}`, { key: `${parent}\n${child}`, parent, child });
  }
  return { nodes: parts.map(({ name }) => ({ id: name, name, version: "" })), edges: [...pairs.values()] };
}

/** All that a layout takes. @param {Layout} of @returns {{left: number, top: number, right: number, bottom: number}} */
function bounds({ boxes, routes, groups = [] }) {
  const found = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const add = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {number} */ h) => {
    found.left = Math.min(found.left, x - w);
    found.right = Math.max(found.right, x + w);
    found.top = Math.min(found.top, y - h);
    found.bottom = Math.max(found.bottom, y + h);
  };
  for (const { x, y, width, height } of [...boxes.values(), ...groups]) add(x, y, width / 2, height / 2);
  for (const { points, label } of routes.values()) {
    for (const { x, y } of points) add(x, y, 4, 4);
    add(label.x, label.y, 52, 10);
  }
  return found;
}
