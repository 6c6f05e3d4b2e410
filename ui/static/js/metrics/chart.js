/** Lines over time: axes, cursor, exemplars, dragging for a range. */

import { h, s } from "../lib/dom.js";
import { compact, localTime } from "../lib/format.js";
import { linearTicks, timeTicks } from "../lib/scale.js";
import { t } from "../lib/texts.js";

/** @typedef {import("./model.js").Line} Line */
/** @typedef {import("./model.js").Exemplar} Exemplar */
/** @typedef {{lines: Line[], exemplars: Exemplar[], start: number, end: number, step: number}} Content times in µs, step in seconds */
/** @typedef {{x: (at: number) => number, y: (value: number) => number, low: number, high: number, width: number, height: number}} Axes */

export const MOST_LINES = 12;
const MARGIN = { top: 8, right: 12, bottom: 24, left: 60 };
const SMALLEST_DRAG = 6; // pixels; less is a click
const TIP_ROWS = 12;
const CELL = 14; // pixels that one exemplar takes

/** @param {number} place in the list of lines @returns {string} class of its colour */
export function colour(place) {
  return `svc-${place % 12}`;
}

/**
 * @param {HTMLElement} place
 * @param {{zoom: (start: number, end: number) => void, open: (trace: string) => void}} actions
 */
export function lineChart(place, actions) {
  /** @type {Content | null} */
  let content = null;
  /** @type {Set<number>} */
  let hidden = new Set();
  new ResizeObserver(draw).observe(place);

  function draw() {
    if (content === null) return place.replaceChildren();
    const width = place.clientWidth;
    const height = place.clientHeight;
    if (width < 100 || height < 60) return;
    const lines = content.lines.slice(0, MOST_LINES).map((line, i) => ({ line, i })).filter(({ i }) => !hidden.has(i));
    const axes = fit(content, lines.map(({ line }) => line), width, height);
    const tip = h("div", { class: "chart-tip", hidden: true });
    const cursor = s("line", { class: "cursor", y1: MARGIN.top, y2: height - MARGIN.bottom, visibility: "hidden" });
    const band = s("rect", { class: "brush", y: MARGIN.top, height: height - MARGIN.top - MARGIN.bottom, visibility: "hidden" });
    const surface = s("rect", { class: "surface", x: MARGIN.left, y: MARGIN.top, width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom });
    const svg = s(
      "svg",
      { role: "img", "aria-label": t("{n} series over time; the table has the same", { n: content.lines.length }), viewBox: `0 0 ${width} ${height}` },
      ...frame(axes, content),
      ...lines.map(({ line, i }) => s("path", { class: `line ${colour(i)}`, d: path(line, axes, /** @type {Content} */ (content).step) })),
      cursor,
      band,
      surface,
      ...apart(content.exemplars, axes).map((each) => diamond(each, axes, actions.open)),
    );
    follow(svg, { axes, lines, cursor, tip, band });
    place.replaceChildren(svg, tip);
  }

  /** @param {SVGSVGElement} svg @param {{axes: Axes, lines: {line: Line, i: number}[], cursor: any, tip: HTMLElement, band: any}} parts */
  function follow(svg, { axes, lines, cursor, tip, band }) {
    /** @type {number | null} */
    let from = null;
    const at = (/** @type {PointerEvent} */ event) =>
      Math.min(Math.max(event.clientX - svg.getBoundingClientRect().left, MARGIN.left), axes.width - MARGIN.right);
    const time = (/** @type {number} */ x) =>
      /** @type {Content} */ (content).start + ((x - MARGIN.left) / (axes.width - MARGIN.left - MARGIN.right)) * (/** @type {Content} */ (content).end - /** @type {Content} */ (content).start);
    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !(/** @type {Element} */ (event.target).matches(".surface"))) return;
      from = at(event);
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      const x = at(event);
      if (from !== null) {
        band.setAttribute("x", String(Math.min(from, x)));
        band.setAttribute("width", String(Math.abs(x - from)));
        band.setAttribute("visibility", "visible");
      }
      point(x, time(x), { axes, lines, cursor, tip });
    });
    svg.addEventListener("pointerleave", () => {
      tip.hidden = true;
      cursor.setAttribute("visibility", "hidden");
    });
    svg.addEventListener("pointerup", (event) => {
      const x = at(event);
      const begun = from;
      from = null;
      band.setAttribute("visibility", "hidden");
      if (begun !== null && Math.abs(x - begun) >= SMALLEST_DRAG) actions.zoom(Math.round(time(Math.min(begun, x))), Math.round(time(Math.max(begun, x))));
    });
  }

  /** @param {number} x @param {number} at @param {{axes: Axes, lines: {line: Line, i: number}[], cursor: any, tip: HTMLElement}} parts */
  function point(x, at, { axes, lines, cursor, tip }) {
    const half = (/** @type {Content} */ (content).step * 1e6) / 2;
    const near = lines
      .map(({ line, i }) => ({ line, i, point: nearest(line.points, at, half) }))
      .filter((each) => each.point !== null)
      .sort((a, b) => /** @type {any} */ (b.point)[1] - /** @type {any} */ (a.point)[1]);
    tip.hidden = near.length === 0;
    cursor.setAttribute("visibility", near.length ? "visible" : "hidden");
    if (!near.length) return;
    const moment = /** @type {[number, number]} */ (near[0].point)[0];
    cursor.setAttribute("x1", String(axes.x(moment)));
    cursor.setAttribute("x2", String(axes.x(moment)));
    tip.replaceChildren(
      h("time", {}, localTime(moment)),
      h("ul", {}, ...near.slice(0, TIP_ROWS).map(({ line, i, point: found }) => h("li", {}, h("span", { class: `chip ${colour(i)}` }, h("bdi", {}, line.name)), h("b", {}, shown(/** @type {any} */ (found)[1]))))),
    );
    tip.style.left = x > axes.width / 2 ? "" : `${x + 16}px`;
    tip.style.right = x > axes.width / 2 ? `${axes.width - x + 16}px` : "";
  }

  return {
    /** @param {Content} next @param {Set<number>} without places of lines that the legend hides */
    show(next, without) {
      content = next;
      hidden = without;
      draw();
    },
    clear() {
      content = null;
      draw();
    },
  };
}

/** @param {number} value */
export function shown(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return compact(value);
}

/** @param {[number, number][]} points @param {number} at @param {number} within @returns {[number, number] | null} */
function nearest(points, at, within) {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < at - within) low = middle + 1;
    else high = middle;
  }
  const found = points[low];
  return found && Math.abs(found[0] - at) <= within * 1.001 ? found : null;
}

/** @param {Content} content @param {Line[]} lines @param {number} width @param {number} height @returns {Axes} */
function fit(content, lines, width, height) {
  let low = 0;
  let high = 0;
  for (const line of lines) {
    for (const [, value] of line.points) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low === high) high = low + 1;
  const inner = height - MARGIN.top - MARGIN.bottom;
  const room = (high - low) * 0.04;
  [low, high] = [low < 0 ? low - room : low, high > 0 ? high + room : high];
  return {
    low,
    high,
    width,
    height,
    x: (at) => MARGIN.left + ((at - content.start) / (content.end - content.start)) * (width - MARGIN.left - MARGIN.right),
    y: (value) => MARGIN.top + (1 - (value - low) / (high - low)) * inner,
  };
}

/** Gaps stay gaps. @param {Line} line @param {Axes} axes @param {number} step */
function path(line, axes, step) {
  let d = "";
  let before = -Infinity;
  for (const [at, value] of line.points) {
    if (!Number.isFinite(value)) {
      before = -Infinity;
      continue;
    }
    const joined = at - before <= step * 1.5e6;
    const place = `${axes.x(at).toFixed(1)} ${axes.y(value).toFixed(1)}`;
    d += joined ? `L${place}` : `M${place}h0`;
    before = at;
  }
  return d;
}

/** @param {Axes} axes @param {Content} content */
function frame(axes, content) {
  const bottom = axes.height - MARGIN.bottom;
  const parts = [];
  for (const value of linearTicks(axes.low, axes.high, Math.max(2, Math.floor(axes.height / 48)))) {
    const y = axes.y(value);
    parts.push(s("line", { class: "grid", x1: MARGIN.left, x2: axes.width - MARGIN.right, y1: y, y2: y }));
    parts.push(s("text", { class: "tick", x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, shown(value)));
  }
  for (const { at, label } of timeTicks(content.start, content.end, Math.max(2, Math.floor(axes.width / 96)))) {
    parts.push(s("text", { class: "tick", x: axes.x(at), y: bottom + 17, "text-anchor": "middle" }, label));
  }
  return parts;
}

/** @param {Exemplar} each @param {Axes} axes @returns {[number, number]} */
function placeOf(each, axes) {
  return [axes.x(each.at), axes.y(Math.min(Math.max(each.value, axes.low), axes.high))];
}

/** Those within the plot; of several in one place the first. @param {Exemplar[]} all @param {Axes} axes */
function apart(all, axes) {
  const taken = new Set();
  return all.filter((each) => {
    const [x, y] = placeOf(each, axes);
    const cell = `${Math.round(x / CELL)},${Math.round(y / CELL)}`;
    if (x < MARGIN.left || x > axes.width - MARGIN.right || taken.has(cell)) return false;
    taken.add(cell);
    return true;
  });
}

/** @param {Exemplar} each @param {Axes} axes @param {(trace: string) => void} open */
function diamond(each, axes, open) {
  const [x, y] = placeOf(each, axes);
  const labels = Object.entries(each.labels).map(([key, value]) => `${key}: ${value}`).join("\n");
  const props = { class: each.trace ? "exemplar" : "exemplar plain", d: `M${x} ${y - 5}l5 5-5 5-5-5z` };
  const mark = s("path", props, s("title", {}, `${shown(each.value)}\n${labels}${each.trace ? `\n${t("Click opens the trace")}` : ""}`));
  if (each.trace) {
    const trace = each.trace;
    mark.addEventListener("click", () => open(trace));
  }
  return mark;
}
