/** The plot of found traces: time, duration (logarithmic), size by spans, colour by errors. */

import { h, s } from "../lib/dom.js";
import { count, duration, localTime } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { axesOf, FASTEST, frame, MARGIN, roomOf, showTip } from "./axes.js";
import { brush } from "./brush.js";

/** @typedef {import("./summaries.js").Summary} Summary @typedef {import("./axes.js").Axes} Axes */

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
    const { width, height } = roomOf(place);
    if (width <= 0) return;
    const axes = axesOf(extent(traces), width, height);
    const tip = h("div", { class: "scatter-tip", hidden: true });
    const surface = s("rect", { class: "surface", x: MARGIN.left, y: 0, width: width - MARGIN.left, height: height - MARGIN.bottom });
    const svg = s(
      "svg",
      { role: "img", "aria-label": t("{traces} by time and duration; the list below has the same", { traces: count(traces.length, "trace") }) },
      ...frame(axes),
      surface,
      // Large ones first, so that no small one hides below.
      ...[...traces].sort((a, b) => b.spans - a.spans).map((trace) => dot(trace, axes, tip)),
    );
    brush(svg, axes, { area: actions.marks, picked, during });
    place.replaceChildren(svg, tip);
  }

  /** @param {import("./brush.js").Area} area */
  function picked(area) {
    if (actions.marks()) actions.mark(area);
    else actions.zoom(Math.floor(area.start), Math.ceil(area.end));
  }

  /** @param {boolean} now */
  function during(now) {
    dragging = now;
    if (!dragging && waiting) draw(traces);
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
          describe(tip, trace);
          showTip(tip, x, y, place.clientWidth);
          actions.light(trace.id);
        },
        pointerleave: () => {
          tip.hidden = true;
          actions.light(null);
        },
      },
    });
  }

  /** @param {string | null} id */
  function light(id) {
    for (const circle of place.querySelectorAll(".dot.lit")) circle.classList.remove("lit");
    if (id !== null) place.querySelector(`.dot[data-id="${CSS.escape(id)}"]`)?.classList.add("lit");
  }

  return { draw, light };
}

/** @param {Summary[]} traces @returns {import("./axes.js").Extent} */
function extent(traces) {
  let [start, end, low, high] = [Infinity, -Infinity, Infinity, FASTEST];
  for (const trace of traces) {
    start = Math.min(start, trace.start);
    end = Math.max(end, trace.start);
    low = Math.min(low, Math.max(trace.duration, FASTEST));
    high = Math.max(high, trace.duration);
  }
  const pad = Math.max((end - start) * 0.02, 1000);
  return { start: start - pad, end: end + pad, low: low / 1.5, high: high * 1.5 };
}

/** @param {HTMLElement} tip @param {Summary} trace */
function describe(tip, trace) {
  tip.replaceChildren(
    h("strong", {}, [trace.service, trace.operation].filter(Boolean).join(": ") || trace.id),
    h("div", { class: "muted" }, `${duration(trace.duration)}, ${count(trace.spans, "span")}${trace.errors ? `, ${count(trace.errors, "error")}` : ""}`),
    h("div", { class: "muted" }, localTime(trace.start)),
  );
}
