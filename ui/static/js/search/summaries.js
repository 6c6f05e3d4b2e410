/** Trace summaries as the pages use them, from `GET /api/v3/trace-summaries` (zero fields are left out there). */

/**
 * @typedef {{id: string, service: string, operation: string, start: number, duration: number, spans: number,
 *   errors: number, services: {name: string, spans: number, errors: number}[]}} Summary times in microseconds
 */

/** @param {{summaries?: any[]}} answer @returns {Summary[]} */
export function readSummaries(answer) {
  return (answer.summaries ?? []).map((summary) => {
    const start = micros(summary.minStartTimeUnixNano);
    return {
      id: summary.traceId,
      service: summary.rootServiceName ?? "",
      operation: summary.rootOperationName ?? "",
      start,
      duration: Math.max(0, nanos(summary.maxEndTimeUnixNano, summary.minStartTimeUnixNano) / 1000),
      spans: Number(summary.spanCount ?? 0),
      errors: Number(summary.errorSpanCount ?? 0),
      services: (summary.services ?? []).map((/** @type {any} */ s) => ({
        name: s.name ?? "",
        spans: Number(s.spanCount ?? 0),
        errors: Number(s.errorSpanCount ?? 0),
      })),
    };
  });
}

/** @type {Record<string, (a: Summary, b: Summary) => number>} */
const ORDERS = {
  newest: (a, b) => b.start - a.start,
  longest: (a, b) => b.duration - a.duration,
  shortest: (a, b) => a.duration - b.duration,
  spans: (a, b) => b.spans - a.spans,
};

/** @param {Summary[]} summaries @param {string} sort @returns {Summary[]} a sorted copy */
export function sorted(summaries, sort) {
  return [...summaries].sort((a, b) => ORDERS[sort](a, b) || b.start - a.start || (a.id < b.id ? -1 : 1));
}

// Nanoseconds since 1970 do not fit into a double: subtract first, convert after.
/** @param {string | undefined} text */
function micros(text) {
  return Number(BigInt(text ?? "0") / 1000n);
}

/** @param {string | undefined} end @param {string | undefined} start */
function nanos(end, start) {
  return Number(BigInt(end ?? "0") - BigInt(start ?? "0"));
}
