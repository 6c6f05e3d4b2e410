/** Time and duration (logarithmic) as axes of a plot. */

import { s } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { logTicks, timeTicks } from "../lib/scale.js";

export const MARGIN = { top: 6, right: 8, bottom: 24, left: 56 };
export const FASTEST = 1; // µs: zero has no logarithm

/** @typedef {{start: number, end: number, low: number, high: number}} Extent times and durations in µs */
/** @typedef {Extent & {width: number, height: number, x: (us: number) => number, y: (us: number) => number, time: (px: number) => number,
 *   took: (px: number) => number}} Axes pixels of the whole plot */

/** @param {Extent} extent @param {number} width @param {number} height @returns {Axes} */
export function axesOf(extent, width, height) {
  const { start, end, low, high } = extent;
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  return {
    ...extent,
    width,
    height,
    x: (us) => MARGIN.left + ((us - start) / (end - start)) * inner.width,
    y: (us) => MARGIN.top + (1 - Math.log(Math.max(us, FASTEST) / low) / Math.log(high / low)) * inner.height,
    took: (px) => low * (high / low) ** (1 - (px - MARGIN.top) / inner.height),
    time: (px) => start + ((px - MARGIN.left) / inner.width) * (end - start),
  };
}

/** What is inside of an element's padding. @param {HTMLElement} place */
export function roomOf(place) {
  const style = getComputedStyle(place);
  return {
    width: place.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
    height: place.clientHeight - parseFloat(style.paddingTop),
  };
}

/** Grid and tick labels. @param {Axes} axes */
export function frame(axes) {
  const { width, height } = axes;
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

/** Puts a tip beside a place of the plot. @param {HTMLElement} tip @param {number} x @param {number} y @param {number} width of the plot */
export function showTip(tip, x, y, width) {
  tip.hidden = false;
  tip.style.left = `${Math.max(8, Math.min(x + 20, width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${y + 28}px`;
}
