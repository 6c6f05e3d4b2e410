/** Self time: when a span runs and none of its children does. */

/** @typedef {import("./model.js").Trace} Trace */

/**
 * @param {Trace["spans"]} spans @param {number} index
 * @returns {{start: number, end: number}[]} microseconds from the start of the trace, in order
 */
export function selfSections(spans, index) {
  const { start, duration, children } = spans[index];
  const end = start + duration;
  const sections = [];
  let free = start;
  for (const child of children) {
    const from = spans[child].start; // children are in order of start
    if (from > free) sections.push({ start: free, end: Math.min(from, end) });
    free = Math.max(free, from + spans[child].duration);
    if (free >= end) return sections;
  }
  if (free < end) sections.push({ start: free, end });
  return sections;
}

/** @param {Trace["spans"]} spans @param {number} index @returns {number} microseconds */
export function selfTime(spans, index) {
  return selfSections(spans, index).reduce((sum, { start, end }) => sum + end - start, 0);
}
