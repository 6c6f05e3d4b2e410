/** The plot of found traces: time, duration (logarithmic), size by spans, colour by errors. */

import { h, s } from "../lib/dom.js";
import { count, duration, localTime } from "../lib/format.js";
import { logTicks, timeTicks } from "../lib/scale.js";

/** @typedef {import("./summaries.js").Summary} Summary */

const MARGIN = { top: 6, right: 8, bottom: 24, left: 56 };
const SMALLEST_DRAG = 6; // pixels; less is a click
const FASTEST = 1; // µs: zero has no logarithm

/**
 * @param {HTMLElement} place
 * @param {{open: (trace: Summary) => void, zoom: (start: number, end: number) => void, mark: (area: import("./selection.js").Area) => void, marks: () => boolean, light: (id: string | null) => void}} actions
 */
export function scatter(place, actions) {
  /** @type {Summary[]} */
  let traces = [];
  let dragging = false;
  let waiting = false; // what came during a drag is drawn after it: the drag would be lost with its plot
  new ResizeObserver(() => draw(traces)).observe(place);

  /** @param {Summary[]} shown */
  function draw(shown) {
    traces = shown;
    waiting = dragging;
    if (waiting) return;
    place.hidden = traces.length === 0;
    if (place.hidden) return place.replaceChildren();
    const style = getComputedStyle(place);
    const width = place.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = place.clientHeight - parseFloat(style.paddingTop);
    if (width <= 0) return;
    const axes = fit(traces, width, height);
    const tip = h("div", { class: "scatter-tip", hidden: true });
    const surface = s("rect", { class: "surface", x: MARGIN.left, y: 0, width: width - MARGIN.left, height: height - MARGIN.bottom });
    const svg = s(
      "svg",
      { role: "img", "aria-label": `${count(traces.length, "trace")} by time and duration; the list below has the same` },
      ...frame(axes, width, height),
      surface,
      // Large ones first, so that no small one hides below.
      ...[...traces].sort((a, b) => b.spans - a.spans).map((trace) => dot(trace, axes, tip)),
    );
    brush(svg, axes, width, height);
    place.replaceChildren(svg, tip);
  }

  /** @param {Summary} trace @param {Axes} axes @param {HTMLElement} tip */
  function dot(trace, axes, tip) {
    const x = axes.x(trace.start);
    const y = axes.y(trace.duration);
    return s("circle", {
      class: trace.errors ? "dot error" : "dot",
      cx: x.toFixed(1),
      cy: y.toFixed(1),
      r: Math.min(3 + Math.sqrt(trace.spans) * 0.7, 14).toFixed(1),
      data: { id: trace.id },
      on: {
        click: () => actions.open(trace),
        pointerenter: () => {
          describe(tip, trace, x, y, place.clientWidth);
          actions.light(trace.id);
        },
        pointerleave: () => {
          tip.hidden = true;
          actions.light(null);
        },
      },
    });
  }

  /** Dragging over the plot picks a time range. @param {SVGSVGElement} svg @param {Axes} axes @param {number} width @param {number} height */
  function brush(svg, axes, width, height) {
    const band = s("rect", { class: "brush", y: 0, height: height - MARGIN.bottom, visibility: "hidden" });
    svg.append(band);
    /** @type {number | null} */
    let from = null;
    let fromY = 0;
    const level = (/** @type {PointerEvent} */ event) => Math.min(Math.max(event.clientY - svg.getBoundingClientRect().top, 0), height - MARGIN.bottom);
    const at = (/** @type {PointerEvent} */ event) =>
      Math.min(Math.max(event.clientX - svg.getBoundingClientRect().left, MARGIN.left), width);
    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !(/** @type {Element} */ (event.target).matches(".surface"))) return;
      from = at(event);
      fromY = level(event);
      dragging = true;
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (from === null) return;
      const to = at(event);
      band.setAttribute("x", String(Math.min(from, to)));
      band.setAttribute("width", String(Math.abs(to - from)));
      if (actions.marks()) {
        band.setAttribute("y", String(Math.min(fromY, level(event))));
        band.setAttribute("height", String(Math.abs(level(event) - fromY)));
      }
      band.setAttribute("visibility", "visible");
    });
    svg.addEventListener("pointerup", (event) => {
      if (from === null) return;
      const [left, right] = [Math.min(from, at(event)), Math.max(from, at(event))];
      end();
      if (right - left < SMALLEST_DRAG) return;
      const [top, bottom] = [Math.min(fromY, level(event)), Math.max(fromY, level(event))];
      if (actions.marks()) actions.mark({ start: axes.time(left), end: axes.time(right), low: axes.took(bottom), high: axes.took(top) });
      else actions.zoom(Math.floor(axes.time(left)), Math.ceil(axes.time(right)));
    });
    svg.addEventListener("pointercancel", end);

    function end() {
      from = null;
      dragging = false;
      band.setAttribute("visibility", "hidden");
      if (waiting) draw(traces);
    }
  }

  /** @param {string | null} id */
  function light(id) {
    for (const circle of place.querySelectorAll(".dot.lit")) circle.classList.remove("lit");
    if (id !== null) place.querySelector(`.dot[data-id="${CSS.escape(id)}"]`)?.classList.add("lit");
  }

  return { draw, light };
}

/** @typedef {{start: number, end: number, low: number, high: number, x: (us: number) => number, y: (us: number) => number, time: (px: number) => number,
 *   took: (px: number) => number}} Axes */

/** @param {Summary[]} traces @param {number} width @param {number} height @returns {Axes} */
function fit(traces, width, height) {
  let [start, end, low, high] = [Infinity, -Infinity, Infinity, FASTEST];
  for (const trace of traces) {
    start = Math.min(start, trace.start);
    end = Math.max(end, trace.start);
    low = Math.min(low, Math.max(trace.duration, FASTEST));
    high = Math.max(high, trace.duration);
  }
  const pad = Math.max((end - start) * 0.02, 1000);
  [start, end, low, high] = [start - pad, end + pad, low / 1.5, high * 1.5];
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  return {
    start,
    end,
    low,
    high,
    x: (us) => MARGIN.left + ((us - start) / (end - start)) * inner.width,
    y: (us) => MARGIN.top + (1 - Math.log(Math.max(us, FASTEST) / low) / Math.log(high / low)) * inner.height,
    took: (px) => low * (high / low) ** (1 - (px - MARGIN.top) / inner.height),
    time: (px) => start + ((px - MARGIN.left) / inner.width) * (end - start),
  };
}

/** Grid and tick labels. @param {Axes} axes @param {number} width @param {number} height */
function frame(axes, width, height) {
  const bottom = height - MARGIN.bottom;
  const rows = logTicks(axes.low, axes.high, 5).map((value) => [
    s("line", { class: "grid", x1: MARGIN.left, x2: width, y1: axes.y(value), y2: axes.y(value) }),
    s("text", { class: "tick", x: MARGIN.left - 8, y: axes.y(value) + 4, "text-anchor": "end" }, duration(value)),
  ]);
  const columns = timeTicks(axes.start, axes.end, Math.max(2, Math.floor(width / 110)))
    .filter(({ at }) => axes.x(at) >= MARGIN.left && axes.x(at) < width - 20)
    .map(({ at, label }) => s("text", { class: "tick", x: axes.x(at), y: height - 6, "text-anchor": "middle" }, label));
  return [...rows.flat(), s("line", { class: "grid", x1: MARGIN.left, x2: width, y1: bottom, y2: bottom }), ...columns];
}

/** @param {HTMLElement} tip @param {Summary} trace @param {number} x @param {number} y @param {number} width */
function describe(tip, trace, x, y, width) {
  tip.replaceChildren(
    h("strong", {}, [trace.service, trace.operation].filter(Boolean).join(": ") || trace.id),
    h("div", { class: "muted" }, `${duration(trace.duration)}, ${count(trace.spans, "span")}${trace.errors ? `, ${count(trace.errors, "error")}` : ""}`),
    h("div", { class: "muted" }, localTime(trace.start)),
  );
  tip.hidden = false;
  tip.style.left = `${Math.max(8, Math.min(x + 20, width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${y + 28}px`;
}
