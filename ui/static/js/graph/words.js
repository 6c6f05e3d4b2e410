/** Numbers of nodes and edges in words. */

import { compact, duration } from "../lib/format.js";

export { percent } from "../lib/format.js";

/** @param {{rate: number, bytes: number}} of @returns {string} calls or bytes a second; empty without any */
export function amount({ rate, bytes }) {
  if (rate > 0) return `${compact(rate)}/s`;
  return bytes > 0 ? `${compact(bytes)} B/s` : "";
}

/** @param {{p95: number | null}} of */
export function latency({ p95 }) {
  return p95 === null ? "\u2013" : duration(Math.round(p95 / 10) * 10);
}
