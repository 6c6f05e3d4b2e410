/** Which of the found traces are looked at, against the rest. */

/**
 * @typedef {import("./summaries.js").Summary} Summary
 * @typedef {{start: number, end: number, low: number, high: number}} Area times and durations in microseconds, bounds included
 */

const SLOWEST = 0.1; // part of the traces

/**
 * @param {Summary[]} traces @param {string} which `failed`, `slow` or an area as `writeArea` gives it
 * @returns {{selected: Summary[], others: Summary[]}}
 */
export function split(traces, which) {
  const inside = chooser(traces, which);
  return { selected: traces.filter(inside), others: traces.filter((trace) => !inside(trace)) };
}

/** @param {Summary[]} traces @param {string} which @returns {(trace: Summary) => boolean} */
function chooser(traces, which) {
  const area = readArea(which);
  if (area) return ({ start, duration }) => start >= area.start && start <= area.end && duration >= area.low && duration <= area.high;
  if (which === "failed") return ({ errors }) => errors > 0;
  const slowest = [...traces].sort((a, b) => b.duration - a.duration).slice(0, Math.ceil(traces.length * SLOWEST));
  const ids = new Set(slowest.map(({ id }) => id));
  return ({ id }) => ids.has(id);
}

/** @param {Area} area */
export function writeArea({ start, end, low, high }) {
  return [Math.floor(start), Math.ceil(end), Math.floor(low), Math.ceil(high)].join("-");
}

/** @param {string} text @returns {Area | null} */
export function readArea(text) {
  const match = /^(\d{1,17})-(\d{1,17})-(\d{1,17})-(\d{1,17})$/.exec(text);
  return match && { start: Number(match[1]), end: Number(match[2]), low: Number(match[3]), high: Number(match[4]) };
}
