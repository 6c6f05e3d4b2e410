/** The whole trace in a strip; dragging over it, or moving its handles, zooms the timeline. */

import { serviceClass } from "../lib/colours.js";
import { h } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { t } from "../lib/texts.js";

/** @typedef {import("./model.js").Trace} Trace @typedef {{start: number, end: number}} Zoom */

const SMALLEST = 1; // µs
const SMALLEST_DRAG = 4; // pixels
const STEP = 0.02; // of the trace, for one key press
const TICKS = 4;

/**
 * @param {HTMLElement} place @param {Trace} trace
 * @param {(zoom: Zoom | null) => void} zoomTo null for the whole trace
 */
export function minimap(place, trace, zoomTo) {
  const total = Math.max(trace.duration, SMALLEST);
  const canvas = h("canvas", { "aria-hidden": "true" });
  const shades = [h("div", { class: "shade" }), h("div", { class: "shade right" })];
  const brush = h("div", { class: "brush", hidden: true });
  const handles = /** @type {const} */ (["start", "end"]).map(handle);
  const area = h("div", { class: "minimap-area" }, canvas, ...shades, brush, ...handles);
  place.replaceChildren(ruler(), area);
  /** @type {Zoom} */
  let window = { start: 0, end: total };

  const painter = new ResizeObserver(() => paint(canvas, trace, total));
  painter.observe(area);
  addEventListener("themechange", () => paint(canvas, trace, total));
  area.addEventListener("pointerdown", drag);
  area.addEventListener("dblclick", () => zoomTo(null));

  function ruler() {
    const labels = Array.from({ length: TICKS + 1 }, (_, i) => h("span", {}, duration((total * i) / TICKS)));
    return h("div", { class: "minimap-ruler", "aria-hidden": "true" }, ...labels);
  }

  /** @param {"start" | "end"} side */
  function handle(side) {
    return h("div", {
      class: `handle ${side}`, role: "slider", tabindex: 0, data: { side },
      "aria-label": side === "start" ? t("Start of the timeline") : t("End of the timeline"),
      on: { keydown: (/** @type {KeyboardEvent} */ event) => step(event, side) },
    });
  }

  /** @param {KeyboardEvent} event @param {"start" | "end"} side */
  function step(event, side) {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    event.stopPropagation();
    choose({ ...window, [side]: window[side] + direction * STEP * total });
  }

  /** @param {Zoom} wanted */
  function choose({ start, end }) {
    const next = { start: Math.max(0, Math.min(start, total)), end: Math.max(0, Math.min(end, total)) };
    if (next.end - next.start < SMALLEST) return;
    zoomTo(next.start === 0 && next.end === total ? null : next);
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    if (event.button !== 0) return;
    const box = area.getBoundingClientRect();
    const at = (/** @type {PointerEvent} */ e) => Math.min(Math.max((e.clientX - box.left) / box.width, 0), 1) * total;
    const side = /** @type {HTMLElement} */ (event.target).dataset.side;
    const from = at(event);
    const range = (/** @type {PointerEvent} */ e) => {
      if (side === "start") return { start: Math.min(at(e), window.end - SMALLEST), end: window.end };
      if (side === "end") return { start: window.start, end: Math.max(at(e), window.start + SMALLEST) };
      return { start: Math.min(from, at(e)), end: Math.max(from, at(e)) };
    };
    const move = (/** @type {PointerEvent} */ e) => {
      const { start, end } = range(e);
      brush.hidden = false;
      brush.style.left = `${(start / total) * 100}%`;
      brush.style.width = `${((end - start) / total) * 100}%`;
    };
    const stop = (/** @type {PointerEvent} */ e) => {
      area.removeEventListener("pointermove", move);
      brush.hidden = true;
      if (e.type === "pointerup" && Math.abs(e.clientX - event.clientX) >= SMALLEST_DRAG) choose(range(e));
    };
    area.setPointerCapture(event.pointerId);
    area.addEventListener("pointermove", move);
    area.addEventListener("pointerup", stop, { once: true });
    area.addEventListener("pointercancel", stop, { once: true });
  }

  /** @param {Zoom | null} zoom */
  function show(zoom) {
    window = zoom ?? { start: 0, end: total };
    const [left, right] = [(window.start / total) * 100, (window.end / total) * 100];
    shades[0].style.width = `${left}%`;
    shades[1].style.width = `${100 - right}%`;
    for (const [i, at] of [left, right].entries()) {
      handles[i].style.left = `${at}%`;
      handles[i].setAttribute("aria-valuemin", "0");
      handles[i].setAttribute("aria-valuemax", "100");
      handles[i].setAttribute("aria-valuenow", String(Math.round(at)));
      handles[i].setAttribute("aria-valuetext", duration((at / 100) * total));
    }
  }

  return { show };
}

/** @param {HTMLCanvasElement} canvas @param {Trace} trace @param {number} total */
function paint(canvas, trace, total) {
  const scale = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const colours = new Map(trace.services.map(({ name }) => [name, style.getPropertyValue(`--${serviceClass(name)}`)]));
  const failure = style.getPropertyValue("--failure");
  const pitch = Math.min(height / Math.max(trace.order.length, 1), 6);
  const thickness = Math.max(Math.min(pitch * 0.7, 4), 1);
  for (const [row, index] of trace.order.entries()) {
    const span = trace.spans[index];
    context.fillStyle = span.error ? failure : (colours.get(span.service) ?? failure);
    context.fillRect((span.start / total) * width, row * pitch, Math.max((span.duration / total) * width, 1), thickness);
  }
}
