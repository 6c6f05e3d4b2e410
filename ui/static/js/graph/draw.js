/** The graph as SVG. */

import { serviceClass } from "../lib/colours.js";
import { s } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { CHARACTER } from "./layout.js";
import { title } from "./model.js";
import { amount, latency, percent } from "./words.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {import("./model.js").Node} Node @typedef {import("./model.js").Edge} Edge @typedef {import("./layout.js").Layout} Layout @typedef {import("./layout.js").Point} Point */

const RING = 9; // radius
const ARROW = 7;
const LEAST_SHOWN = 0.001; // share of errors
const CHIP = { height: 18, character: 6.2, padding: 12 };
const LOCK = { width: 12, path: "M1.5 4.5h6v4.5h-6zM2.7 4.5V3a1.8 1.8 0 0 1 3.6 0v1.5" };
const CIRCLE = "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z";
/** As in Kiali: a circle is a workload, a square an app, a triangle a service. */
const CORES = {
  workload: CIRCLE,
  app: "M-3.8 -3.8h7.6v7.6h-7.6Z",
  service: "M0 -4.8L4.8 3.6H-4.8Z",
  database: "M-4 -3.4C-4 -5 4 -5 4 -3.4V3.4C4 5 -4 5 -4 3.4Z",
  queue: "M-5 -3h2.6v6H-5ZM-1.3 -3h2.6v6h-2.6ZM2.4 -3H5v6H2.4Z",
  external: "M0 -5L5 0L0 5L-5 0Z",
  unknown: CIRCLE,
};
const KINDS = { workload: t("workload"), app: t("app"), service: t("service"), database: t("database"), queue: t("queue"), external: t("external service"), unknown: t("unknown caller") };

/**
 * @param {Graph} graph @param {Layout} layout @param {Set<string>} known names drawn before; others fade in
 * @returns {SVGGElement[]} layers: boxes around, edges, their chips, nodes
 */
export function drawGraph({ nodes, edges }, { boxes, routes, groups = [] }, known) {
  const highest = { rate: Math.max(...edges.map(({ rate }) => rate), 1e-9), bytes: Math.max(...edges.map(({ bytes }) => bytes), 1e-9) };
  const lines = edges.map((edge) => line(edge, routes.get(edge.key), highest));
  const chips = edges.map((edge) => chip(edge, routes.get(edge.key)));
  const shapes = nodes.map((node) => shape(node, boxes.get(node.id), !known.has(node.id)));
  const outlines = groups.map(outline);
  return [s("g", { class: "groups" }, ...outlines), s("g", { class: "edges" }, ...lines), s("g", { class: "chips" }, ...chips), s("g", { class: "nodes" }, ...shapes)];
}

/** @param {import("./groups.js").Group} group */
function outline({ name, x, y, width, height }) {
  return s(
    "g",
    { class: "group", data: { group: name } },
    s("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 12 }),
    s("text", { x: x - width / 2 + 14, y: y - height / 2 + 21 }, fitted(name, width - 20)),
  );
}

/** @param {Edge} edge @param {any} route @param {{rate: number, bytes: number}} highest in the graph */
function line(edge, { points }, highest) {
  // Width by the logarithm of the rate: 1 px for a thousandth of the busiest edge, 5 px for the busiest.
  const busy = edge.protocol === "tcp" ? edge.bytes / highest.bytes : edge.rate / highest.rate;
  const width = 1 + 4 * Math.max(0, 1 + Math.log10(Math.max(busy, 1e-3)) / 3);
  const path = curve(points);
  return s(
    "g",
    { class: `edge ${edge.health} ${edge.protocol}`, data: { edge: edge.key } },
    s("title", {}, told(edge)),
    s("path", { class: "hit", d: path }),
    s("path", { class: "stroke", d: path, "stroke-width": width.toFixed(2) }),
    edge.rate > 0 || edge.bytes > 0 ? s("path", { class: "flow", d: path, style: flow(edge, busy) }) : null,
    s("path", { class: "arrow", d: arrow(points[points.length - 2], points[points.length - 1], ARROW + width / 2) }),
  );
}

const FLOW = { gap: 18, most: 90, fast: 0.6, slow: 6 }; // pixels between calls; seconds for a hundred pixels

/** Calls on their way: the busier the denser, the slower the answer the slower. @param {Edge} edge @param {number} busy part of the busiest */
function flow({ p50 }, busy) {
  const gap = FLOW.gap + (FLOW.most - FLOW.gap) * Math.max(0, Math.min(1, -Math.log10(Math.max(busy, 1e-3)) / 3));
  const slow = p50 === null ? 0.2 : Math.min(Math.max(Math.log10(p50 / 1000 + 1) / 4, 0), 1); // ten seconds are slowest
  const seconds = ((FLOW.fast + (FLOW.slow - FLOW.fast) * slow) * gap) / 100;
  return { "stroke-dasharray": `0.1 ${gap.toFixed(0)}`, "--flow-gap": gap.toFixed(0), "animation-duration": `${seconds.toFixed(2)}s` };
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
  const text = [amount(edge), edge.p95 === null ? "" : latency(edge)].filter(Boolean).join("  ");
  const lock = edge.mtls === 100 ? LOCK.width : 0;
  const width = text.length * CHIP.character + CHIP.padding + lock;
  return s(
    "g",
    { class: `edge-chip ${edge.health}`, transform: `translate(${label.x} ${label.y})`, data: { edge: edge.key } },
    s("title", {}, told(edge)),
    s("rect", { x: -width / 2, y: -CHIP.height / 2, width, height: CHIP.height, rx: CHIP.height / 2 }),
    lock > 0 && s("path", { class: "lock", transform: `translate(${-width / 2 + 6} -5)`, d: LOCK.path }),
    s("text", { x: lock / 2, y: 4, "text-anchor": "middle" }, text),
  );
}

/** @param {Edge} edge */
function told(edge) {
  const facts = [amount(edge), edge.errors > 0 && t("{share} errors", { share: percent(edge.share) }), edge.p95 !== null && `p95 ${latency(edge)}`, edge.mtls !== null && `${edge.mtls} % mTLS`];
  return `${edge.from} → ${edge.to} (${edge.protocol === "span" ? t("seen in spans only") : edge.protocol}): ${facts.filter(Boolean).join(", ")}`;
}

/** @param {Node} node @param {any} box @param {boolean} isNew */
function shape(node, { x, y, width, height }, isNew) {
  const [left, top] = [-width / 2, -height / 2];
  const facts = node.errors > 0 ? t("{share} errors", { share: percent(node.share) }) : node.p95 === null ? amount(node) || t("no calls") : `p95 ${latency(node)}`;
  return s(
    "g",
    { class: `node ${node.health} ${serviceClass(node.name)}${isNew ? " new" : ""}`, transform: `translate(${x} ${y})`, data: { node: node.id, name: title(node) } },
    s(
      "g",
      {
        class: "target", tabindex: 0, role: "button",
        "aria-label": `${title(node)}: ${[KINDS[node.kind], amount(node), facts].filter(Boolean).join(", ")}`,
      },
      s("title", {}, [title(node), node.namespace && `namespace ${node.namespace}`, KINDS[node.kind]].filter(Boolean).join(", ")),
      s("rect", { class: "box", x: left, y: top, width, height, rx: 8 }),
      ring(node, left + 22),
    ),
    s("text", { class: "name", "aria-hidden": "true", x: left + 40, y: -2 }, fitted(title(node), width - 48)),
    s("text", { class: "fact", "aria-hidden": "true", x: left + 40, y: 13 }, facts),
  );
}

/** The share of errors as a part of a ring around the kind of node in the service's colour. @param {Node} node @param {number} x */
function ring({ share, kind }, x) {
  const length = 2 * Math.PI * RING;
  const failed = share >= LEAST_SHOWN ? Math.max(share, 0.06) * length : 0; // a few errors still show
  return s(
    "g",
    { class: "ring", transform: `translate(${x} 0) rotate(-90)` },
    s("circle", { class: "well", r: RING }),
    failed > 0 && s("circle", { class: "ill", r: RING, "stroke-dasharray": `${failed} ${length}` }),
    s("path", { class: "core", transform: "rotate(90)", d: CORES[kind] }),
  );
}

/** A name that ends in its middle when it is too long for its box. @param {string} name @param {number} width */
export function fitted(name, width) {
  const most = Math.floor(width / CHARACTER);
  const characters = [...name];
  if (characters.length <= most) return name;
  const tail = Math.floor((most - 1) * 0.4);
  return `${characters.slice(0, most - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}
