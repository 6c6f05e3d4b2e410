/** Dragging over a plot picks a part of it. */

import { s } from "../lib/dom.js";
import { MARGIN } from "./axes.js";

const SMALLEST_DRAG = 6; // pixels; less is a click

/** @typedef {import("./axes.js").Axes} Axes */
/** @typedef {{start: number, end: number, low: number, high: number}} Area times and durations in µs */

/**
 * @param {SVGSVGElement} svg with a rectangle of class "surface" on which drags begin
 * @param {Axes} axes
 * @param {{area: () => boolean, picked: (area: Area) => void, during: (dragging: boolean) => void}} how
 *   area: durations are picked too, and not only times
 */
export function brush(svg, axes, how) {
  const floor = axes.height - MARGIN.bottom;
  const band = s("rect", { class: "brush", y: 0, height: floor, visibility: "hidden" });
  svg.append(band);
  /** @type {{x: number, y: number} | null} */
  let from = null;
  const at = (/** @type {PointerEvent} */ event) => {
    const { left, top } = svg.getBoundingClientRect();
    return { x: Math.min(Math.max(event.clientX - left, MARGIN.left), axes.width), y: Math.min(Math.max(event.clientY - top, 0), floor) };
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !(/** @type {Element} */ (event.target).matches(".surface"))) return;
    from = at(event);
    how.during(true);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = at(event);
    const tall = how.area();
    const box = { x: Math.min(from.x, to.x), width: Math.abs(to.x - from.x), y: tall ? Math.min(from.y, to.y) : 0, height: tall ? Math.abs(to.y - from.y) : floor };
    for (const [name, value] of Object.entries(box)) band.setAttribute(name, String(value));
    band.setAttribute("visibility", "visible");
  });
  svg.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const [begin, to] = [from, at(event)];
    end();
    if (Math.abs(to.x - begin.x) < SMALLEST_DRAG) return;
    how.picked({
      start: axes.time(Math.min(begin.x, to.x)),
      end: axes.time(Math.max(begin.x, to.x)),
      low: axes.took(Math.max(begin.y, to.y)),
      high: axes.took(Math.min(begin.y, to.y)),
    });
  });
  svg.addEventListener("pointercancel", end);

  function end() {
    from = null;
    band.setAttribute("visibility", "hidden");
    how.during(false);
  }
}
