/** The drawing of a graph that is too large for an element each: painted, with what is far left out. */

import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { fitted } from "./draw.js";
import { laidOut } from "./groups.js";
import { settled } from "./layout.js";
import { minimap } from "./minimap.js";
import { among, neighbourhood, title } from "./model.js";
import { viewport, zoomTools } from "./viewport.js";
import { amount, latency, percent } from "./words.js";

/** @typedef {import("./model.js").Graph} Graph @typedef {import("./model.js").Edge} Edge @typedef {import("./model.js").Node} Node @typedef {import("./canvas.js").Selection} Selection @typedef {import("./layout.js").Box} Box */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Sight */

const NEAR = 0.55; // scale from which names and numbers are legible
const NAMES = 0.3;
const DIM = 0.12;
const HIT = 8; // pixels around an edge
const STATES = /** @type {const} */ (["idle", "healthy", "degraded", "failure"]); // painted in this order

/**
 * The same as `graphCanvas`; nodes are reached by keys through the table.
 * @param {HTMLElement} place @param {(selection: Selection) => void} select
 * @param {import("./layout.js").Arrangement | null} [arrangement] null: as the place has room
 * @param {import("./groups.js").Grouping | null} [grouping] boxes around nodes; null: none
 */
export function graphBitmap(place, select, arrangement = null, grouping = null) {
  const surface = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "graph-bitmap", tabindex: 0, role: "img", "aria-label": t("Service graph; the table view has the same numbers") }));
  const paper = /** @type {CanvasRenderingContext2D} */ (surface.getContext("2d"));
  let [x, y, k] = [0, 0, 1];
  let asked = 0;
  /** @type {import("./layout.js").Layout | null} */
  let layout = null;
  /** @type {Graph} */
  let graph = { nodes: [], edges: [] };
  /** @type {Selection} */
  let selected = null;
  /** @type {Selection} */
  let pointed = null;
  /** @type {Set<string> | null} */
  let found = null;
  let colours = palette();
  const view = viewport(surface, {
    bounds,
    move: (nextX, nextY, nextK) => {
      [x, y, k] = [nextX, nextY, nextK];
      ask();
    },
  });
  const map = minimap(view);
  place.replaceChildren(surface, zoomTools(view), map.element);
  new ResizeObserver(ask).observe(place);
  addEventListener("themechange", () => {
    colours = palette();
    ask();
  });
  surface.addEventListener("click", (event) => select(at(event, true)));
  surface.addEventListener("pointermove", (event) => {
    if (event.buttons) return;
    const next = at(event, false);
    surface.style.cursor = next ? "pointer" : "";
    if (JSON.stringify(next) === JSON.stringify(pointed)) return;
    pointed = next;
    ask();
  });

  function ask() {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(paint);
  }

  /** @param {Graph} next */
  function lay(next) {
    return laidOut(next, arrangement ?? (place.clientHeight > place.clientWidth ? "TB" : "LR"), grouping);
  }

  /** @param {Graph} next */
  function show(next) {
    const first = layout === null;
    layout = layout === null ? lay(next) : settled(layout, next, () => lay(next));
    graph = next;
    if (first) view.fit();
    map.show(graph, layout);
    ask();
  }

  function bounds() {
    const all = [...(layout?.boxes.values() ?? []), ...(layout?.groups ?? [])];
    if (!all.length) return { x: 0, y: 0, width: 0, height: 0 };
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const box of all) {
      left = Math.min(left, box.x - box.width / 2);
      right = Math.max(right, box.x + box.width / 2);
      top = Math.min(top, box.y - box.height / 2);
      bottom = Math.max(bottom, box.y + box.height / 2);
    }
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  function paint() {
    const ratio = devicePixelRatio;
    const [width, height] = [place.clientWidth, place.clientHeight];
    if (!layout || !width || !height) return;
    if (surface.width !== Math.round(width * ratio) || surface.height !== Math.round(height * ratio)) {
      [surface.width, surface.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    }
    paper.setTransform(1, 0, 0, 1, 0, 0);
    paper.fillStyle = colours.surface;
    paper.fillRect(0, 0, surface.width, surface.height);
    paper.setTransform(ratio * k, 0, 0, ratio * k, ratio * x, ratio * y);
    const sight = { left: -x / k, top: -y / k, right: (width - x) / k, bottom: (height - y) / k };
    const near = lit(pointed ?? selected);
    const seen = graph.edges.filter((edge) => inSight(edge, sight));
    if (near) {
      lines(seen.filter(({ key }) => !near.keys.has(key)), DIM);
      lines(seen.filter(({ key }) => near.keys.has(key)), 1);
    } else lines(seen, k < NAMES ? 0.45 : 0.7);
    outlines();
    boxes(sight, near);
    if (k >= NEAR) numbers(near ? seen.filter(({ key }) => near.keys.has(key)) : seen);
  }

  /** @param {Edge} edge @param {Sight} sight */
  function inSight({ parent, child }, { left, right, top, bottom }) {
    const [a, b] = [layout?.boxes.get(parent), layout?.boxes.get(child)];
    if (!a || !b) return false;
    return Math.max(a.x, b.x) + a.width > left && Math.min(a.x, b.x) - a.width < right && Math.max(a.y, b.y) + a.height > top && Math.min(a.y, b.y) - a.height < bottom;
  }

  /** One stroke for each state: a stroke for each edge would take ten times as long. @param {Edge[]} edges @param {number} opacity */
  function lines(edges, opacity) {
    paper.globalAlpha = opacity;
    paper.lineWidth = Math.max(1.2, 0.8 / k);
    for (const state of STATES) {
      const own = edges.filter(({ health }) => health === state);
      if (!own.length) continue;
      paper.strokeStyle = colours[state];
      paper.beginPath();
      for (const edge of own) trace(edge);
      paper.stroke();
    }
    paper.globalAlpha = 1;
  }

  /** @param {Edge} edge */
  function trace({ key }) {
    const points = layout?.routes.get(key)?.points;
    if (!points) return;
    const [from, to] = [points[0], points[points.length - 1]];
    paper.moveTo(from.x, from.y);
    if (k < NAMES || layout?.direction === "TB") return paper.lineTo(to.x, to.y);
    const middle = (from.x + to.x) / 2;
    paper.bezierCurveTo(middle, from.y, middle, to.y, to.x, to.y);
  }

  function outlines() {
    paper.strokeStyle = colours.muted;
    paper.fillStyle = colours.muted;
    paper.lineWidth = 1 / k;
    paper.font = `600 ${Math.max(13, 11 / k)}px system-ui, sans-serif`;
    for (const { name, x: middle, y: centre, width, height } of layout?.groups ?? []) {
      paper.beginPath();
      paper.roundRect(middle - width / 2, centre - height / 2, width, height, 12);
      paper.stroke();
      paper.fillText(name, middle - width / 2 + 12, centre - height / 2 + Math.max(20, 14 / k), width - 20);
    }
  }

  /** @param {Sight} sight @param {{ids: Set<string>} | null} near */
  function boxes(sight, near) {
    paper.font = `600 ${k < NEAR ? 15 : 12}px system-ui, sans-serif`;
    for (const node of graph.nodes) {
      const box = layout?.boxes.get(node.id);
      if (!box || box.x + box.width < sight.left || box.x - box.width > sight.right || box.y + box.height < sight.top || box.y - box.height > sight.bottom) continue;
      paper.globalAlpha = near && !near.ids.has(node.id) ? DIM : 1;
      paper.fillStyle = colours.surface;
      paper.strokeStyle = selected && "node" in selected && selected.node === node.id ? colours.accent : colours[node.health];
      paper.lineWidth = k < NEAR ? Math.max(2.5, 1 / k) : 1.5;
      paper.beginPath();
      paper.roundRect(box.x - box.width / 2, box.y - box.height / 2, box.width, box.height, 8);
      paper.fill();
      paper.stroke();
      if (k >= NAMES) words(node, box);
    }
    paper.globalAlpha = 1;
  }

  /** @param {Node} node @param {Box} box */
  function words(node, box) {
    const facts = k < NEAR ? "" : node.errors > 0 ? t("{percent} errors", { percent: percent(node.share) }) : node.p95 === null ? amount(node) : `p95 ${latency(node)}`;
    paper.fillStyle = colours.text;
    paper.fillText(fitted(title(node), box.width - 20), box.x - box.width / 2 + 12, box.y + (facts ? -2 : 5), box.width - 20);
    if (!facts) return;
    paper.fillStyle = colours.muted;
    paper.font = "11px system-ui, sans-serif";
    paper.fillText(facts, box.x - box.width / 2 + 12, box.y + 14, box.width - 20);
    paper.font = "600 12px system-ui, sans-serif";
  }

  /** @param {Edge[]} edges */
  function numbers(edges) {
    paper.font = "11px system-ui, sans-serif";
    paper.textAlign = "center";
    for (const edge of edges) {
      const label = layout?.routes.get(edge.key)?.label;
      const text = [amount(edge), edge.p95 === null ? "" : latency(edge)].filter(Boolean).join("  ");
      if (!label || !text) continue;
      const wide = text.length * 6 + 8;
      paper.fillStyle = colours.surface;
      paper.fillRect(label.x - wide / 2, label.y - 8, wide, 15);
      paper.fillStyle = colours.text;
      paper.fillText(text, label.x, label.y + 4);
    }
    paper.textAlign = "start";
  }

  /** @param {Selection} focus @returns {{ids: Set<string>, keys: Set<string>} | null} */
  function lit(focus) {
    if (focus && "node" in focus) return neighbourhood(graph, focus.node);
    const edge = focus && graph.edges.find(({ key }) => key === focus.edge);
    if (edge) return { ids: new Set([edge.parent, edge.child]), keys: new Set([edge.key]) };
    return found && among(graph, found);
  }

  /** @param {MouseEvent} event @param {boolean} edgesToo @returns {Selection} */
  function at(event, edgesToo) {
    const frame = surface.getBoundingClientRect();
    const point = { x: (event.clientX - frame.left - x) / k, y: (event.clientY - frame.top - y) / k };
    const node = graph.nodes.find(({ id }) => {
      const box = layout?.boxes.get(id);
      return box && Math.abs(point.x - box.x) <= box.width / 2 && Math.abs(point.y - box.y) <= box.height / 2;
    });
    if (node) return { node: node.id };
    if (!edgesToo) return null;
    const nearest = graph.edges.map(({ key }) => ({ key, far: distance(point, layout?.routes.get(key)?.points ?? []) })).reduce((best, each) => (each.far < best.far ? each : best), { key: "", far: Infinity });
    return nearest.far * k <= HIT ? { edge: nearest.key } : null;
  }

  return {
    show,
    /** @param {Selection} selection */
    mark(selection) {
      selected = selection;
      ask();
    },
    /** @param {Set<string> | null} ids */
    find(ids) {
      found = ids;
      ask();
    },
    /** @param {string} id */
    centre(id) {
      const box = layout?.boxes.get(id);
      if (box) view.centre(box);
    },
    /** @param {string} id */
    reveal(id) {
      const box = layout?.boxes.get(id);
      if (box && !view.contains(box)) view.centre(box);
    },
    fit: view.fit,
  };
}

/** From a point to a line of points. @param {{x: number, y: number}} point @param {{x: number, y: number}[]} points */
function distance(point, points) {
  let least = Infinity;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const part = Math.min(Math.max(((point.x - a.x) * dx + (point.y - a.y) * dy) / Math.max(dx * dx + dy * dy, 1e-9), 0), 1);
    least = Math.min(least, Math.hypot(point.x - a.x - part * dx, point.y - a.y - part * dy));
  }
  return least;
}

/** Colours of the theme, which the style sheet has. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  return { healthy: of("healthy"), degraded: of("degraded"), failure: of("failure"), idle: of("idle"), surface: of("surface"), text: of("text"), muted: of("muted"), accent: of("accent") };
}
