/** The graph as SVG. */

import { serviceClass } from "../lib/colours.js";
import { s } from "../lib/dom.js";
import { compact, count, duration, percent } from "../lib/format.js";
import { CHARACTER } from "./layout.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {import("./model.js").Node} Node @typedef {import("./model.js").Edge} Edge @typedef {import("./layout.js").Layout} Layout @typedef {import("./layout.js").Point} Point */

const RING = 9; // radius
const ARROW = 7;
const LEAST_SHOWN = 0.001; // share of errors
const CHIP = { height: 18, character: 6.2, padding: 12 };

/**
 * @param {Graph} graph @param {Layout} layout @param {Set<string>} known names drawn before; others fade in
 * @returns {SVGGElement[]} layers: edges, their chips, nodes
 */
export function drawGraph({ nodes, edges }, { boxes, routes }, known) {
  const highest = Math.max(...edges.map(({ rate }) => rate), 1e-9);
  const lines = edges.map((edge) => line(edge, routes.get(edge.key), highest));
  const chips = edges.map((edge) => chip(edge, routes.get(edge.key)));
  const shapes = nodes.map((node) => shape(node, boxes.get(node.name), !known.has(node.name)));
  return [s("g", { class: "edges" }, ...lines), s("g", { class: "chips" }, ...chips), s("g", { class: "nodes" }, ...shapes)];
}

/** @param {Edge} edge @param {any} route @param {number} highest rate in the graph */
function line(edge, { points }, highest) {
  // Width by the logarithm of the rate: 1 px for a thousandth of the busiest edge, 5 px for the busiest.
  const width = 1 + 4 * Math.max(0, 1 + Math.log10(Math.max(edge.rate / highest, 1e-3)) / 3);
  const path = curve(points);
  return s(
    "g",
    { class: `edge ${edge.health}`, data: { edge: edge.key } },
    s("title", {}, `${edge.parent} → ${edge.child}: ${count(edge.calls, "call")}, ${count(edge.errors, "error")}, p95 ${duration(edge.p95)}`),
    s("path", { class: "hit", d: path }),
    s("path", { class: "stroke", d: path, "stroke-width": width.toFixed(2) }),
    s("path", { class: "arrow", d: arrow(points[points.length - 2], points[points.length - 1], ARROW + width / 2) }),
  );
}

/** A smooth line through points. @param {Point[]} points */
function curve(points) {
  const [first, ...rest] = points;
  let path = `M${first.x} ${first.y}`;
  for (let i = 0; i < rest.length - 1; i++) {
    const middle = { x: (rest[i].x + rest[i + 1].x) / 2, y: (rest[i].y + rest[i + 1].y) / 2 };
    const end = i === rest.length - 2 ? rest[i + 1] : middle;
    path += `Q${rest[i].x} ${rest[i].y} ${end.x} ${end.y}`;
  }
  return rest.length === 1 ? `${path}L${rest[0].x} ${rest[0].y}` : path;
}

/** @param {Point} from @param {Point} to @param {number} size */
function arrow(from, to, size) {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const corner = (/** @type {number} */ turn) => `${to.x - size * Math.cos(angle + turn)} ${to.y - size * Math.sin(angle + turn)}`;
  return `M${to.x} ${to.y}L${corner(0.42)}L${corner(-0.42)}Z`;
}

/** @param {Edge} edge @param {any} route */
function chip(edge, { label }) {
  const text = `${compact(edge.rate)}/s  ${duration(edge.p95)}`;
  const width = text.length * CHIP.character + CHIP.padding;
  return s(
    "g",
    { class: `edge-chip ${edge.health}`, transform: `translate(${label.x} ${label.y})`, data: { edge: edge.key } },
    s("title", {}, `${count(edge.calls, "call")}, ${compact(edge.rate)} a second; p95 ${duration(edge.p95)}; ${percent(edge.share)} errors`),
    s("rect", { x: -width / 2, y: -CHIP.height / 2, width, height: CHIP.height, rx: CHIP.height / 2 }),
    s("text", { y: 4, "text-anchor": "middle" }, text),
  );
}

/** @param {Node} node @param {any} box @param {boolean} isNew */
function shape(node, { x, y, width, height }, isNew) {
  const [left, top] = [-width / 2, -height / 2];
  const facts = node.health !== "healthy" ? `${percent(node.share)} errors` : `p95 ${duration(node.p95)}`;
  return s(
    "g",
    { class: `node ${node.health} ${serviceClass(node.name)}${isNew ? " new" : ""}`, transform: `translate(${x} ${y})`, data: { node: node.name } },
    s(
      "g",
      {
        class: "target", tabindex: 0, role: "button",
        "aria-label": `${node.name}: ${count(node.spans, "span")}, ${count(node.errors, "error")}, p95 ${duration(node.p95)}`,
      },
      s("title", {}, node.name),
      s("rect", { class: "box", x: left, y: top, width, height, rx: 8 }),
      ring(node, left + 22),
    ),
    s("text", { class: "name", "aria-hidden": "true", x: left + 40, y: -2 }, fitted(node.name, width - 48)),
    s("text", { class: "fact", "aria-hidden": "true", x: left + 40, y: 13 }, facts),
  );
}

/** The share of errors as a part of a ring around the service's colour. @param {Node} node @param {number} x */
function ring({ share }, x) {
  const length = 2 * Math.PI * RING;
  const failed = share >= LEAST_SHOWN ? Math.max(share, 0.06) * length : 0; // a few errors still show
  return s(
    "g",
    { class: "ring", transform: `translate(${x} 0) rotate(-90)` },
    s("circle", { class: "well", r: RING }),
    failed > 0 && s("circle", { class: "ill", r: RING, "stroke-dasharray": `${failed} ${length}` }),
    s("circle", { class: "core", r: 4.5 }),
  );
}

/** A name that ends in its middle when it is too long for its box. @param {string} name @param {number} width */
function fitted(name, width) {
  const most = Math.floor(width / CHARACTER);
  const characters = [...name];
  if (characters.length <= most) return name;
  const tail = Math.floor((most - 1) * 0.4);
  return `${characters.slice(0, most - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}
