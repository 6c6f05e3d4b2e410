/** How long spans of the same service and operation usually take. */

import { get } from "../lib/api.js";

const HOUR = 3_600e6; // µs

/** @typedef {import("./statistics.js").Usual & {count: number}} Known */

/** Of the hour up to the trace's end. @param {import("./model.js").Trace} trace @returns {Promise<Map<string, Known>>} by `usualKey` */
export async function loadUsual(trace) {
  const end = Math.ceil(trace.start + trace.duration);
  const answer = await get(`/api/vigla/v1/traces/${encodeURIComponent(trace.id)}/usual`, { start: end - HOUR, end });
  return new Map(answer.operations.map((/** @type {any} */ o) => [usualKey(o.service, o.operation), { p50: o.p50, p95: o.p95, count: o.spans }]));
}

/** @param {string} service @param {string} name */
export function usualKey(service, name) {
  return JSON.stringify([service, name]);
}
