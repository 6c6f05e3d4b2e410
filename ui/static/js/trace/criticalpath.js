/**
 * The critical path: the spans whose shortening would shorten the trace, found backwards from its end.
 * A span is on the path while it waits for no child; while it waits, the child that finished last is.
 */

/** @typedef {import("./model.js").Trace} Trace */
/** @typedef {{start: number, end: number}} Section microseconds from the start of the trace */

/**
 * @param {Trace} trace
 * @returns {Map<number, Section[]>} sections by span index, latest first; of the longest root's tree
 */
export function criticalPath({ spans, roots }) {
  /** @type {Map<number, Section[]>} */
  const path = new Map();
  if (!roots.length) return path;
  const end = (/** @type {number} */ i) => spans[i].start + spans[i].duration;
  const root = roots.reduce((best, i) => (spans[i].duration > spans[best].duration ? i : best));
  // A stack instead of recursion: traces may be thousands of calls deep.
  const work = [frameOf(root, spans[root].start, end(root))];
  while (work.length) {
    const frame = work[work.length - 1];
    const child = frame.waits.pop();
    if (child === undefined) {
      add(frame.index, frame.from, frame.until);
      work.pop();
      continue;
    }
    // A child that outlives what it was waited for is taken as cut there; one that starts later was not waited for.
    const finished = Math.min(end(child), frame.limit);
    const from = Math.max(spans[child].start, frame.from);
    if (finished > frame.until || from >= finished) continue;
    add(frame.index, finished, frame.until);
    frame.until = from;
    work.push(frameOf(child, from, finished));
  }
  return path;

  /** `waits`: children that the span waits for, the one that finishes last at the end. @param {number} index @param {number} from @param {number} limit */
  function frameOf(index, from, limit) {
    const waits = spans[index].children
      .filter((i) => !spans[i].asynchronous && spans[i].start < limit)
      .sort((a, b) => Math.min(end(a), limit) - Math.min(end(b), limit) || spans[b].start - spans[a].start);
    return { index, from, limit, until: limit, waits };
  }

  /** @param {number} index @param {number} start @param {number} finish */
  function add(index, start, finish) {
    if (finish <= start) return;
    const sections = path.get(index);
    if (sections) sections.push({ start, end: finish });
    else path.set(index, [{ start, end: finish }]);
  }
}
