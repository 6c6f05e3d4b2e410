/** Spans counted by start and duration, from `GET /api/vigla/v1/traces/heatmap`. */

import { FASTEST } from "./axes.js";

/** @typedef {{start: number, end: number, low: number, high: number, spans: number, errors: number}} Cell times and durations in µs */
/** @typedef {{start: number, end: number, low: number, high: number}} Part where nine of ten spans lay earlier, at the times of now */
/** @typedef {{cells: Cell[], most: number, spans: number, usual: Part[], ago: number, extent: import("./axes.js").Extent}} Heat ago in seconds; 0: nothing is known of earlier */

/** @param {any} answer @returns {Heat} */
export function readHeat(answer) {
  const { start, end, step, buckets_per_octave: per, cells: columns, usual } = answer;
  const bound = (/** @type {number} */ bucket) => 2 ** (bucket / per);
  const cells = columns.column.map((/** @type {number} */ column, /** @type {number} */ at) => ({
    start: start + column * step,
    end: Math.min(start + (column + 1) * step, end),
    low: bound(columns.bucket[at]),
    high: bound(columns.bucket[at] + 1),
    spans: columns.spans[at],
    errors: columns.errors[at],
  }));
  const parts = (usual?.parts ?? []).map((/** @type {any} */ { part, low, high }) => ({
    start: start + part * usual.step,
    end: Math.min(start + (part + 1) * usual.step, end),
    low: Math.max(low, FASTEST),
    high: Math.max(high, FASTEST),
  }));
  const bounds = [...cells, ...parts];
  return {
    cells,
    most: Math.max(1, ...columns.spans),
    spans: columns.spans.reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0),
    usual: parts,
    ago: usual?.ago ?? 0,
    extent: { start, end, low: Math.min(...bounds.map(({ low }) => low)) / 1.2, high: Math.max(...bounds.map(({ high }) => high)) * 1.2 },
  };
}

/** How dark a cell is, 0.15 to 1: by the logarithm, since counts differ by powers. @param {number} spans @param {number} most */
export function darkness(spans, most) {
  return most > 1 ? 0.15 + (0.85 * Math.log(spans)) / Math.log(most) : 1;
}

/** A duration as filters take it, never outside of what it bounds. @param {number} us @param {"down" | "up"} side */
export function bound(us, side) {
  const [size, unit] = us < 1e3 ? [1, "us"] : us < 1e6 ? [1e3, "ms"] : [1e6, "s"];
  const scale = size === 1 ? 1 : 100;
  return `${Math[side === "down" ? "floor" : "ceil"]((us / size) * scale) / scale}${unit}`;
}
