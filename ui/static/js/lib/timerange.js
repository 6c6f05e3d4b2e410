/** Time ranges: relative (`lookback=1h`) or absolute (`start`, `end` in microseconds since 1970). */

import { t } from "./texts.js";

export const LOOKBACKS = /** @type {const} */ ([
  ["5m", t("Last 5 minutes")],
  ["15m", t("Last 15 minutes")],
  ["30m", t("Last 30 minutes")],
  ["1h", t("Last hour")],
  ["3h", t("Last 3 hours")],
  ["6h", t("Last 6 hours")],
  ["12h", t("Last 12 hours")],
  ["1d", t("Last 24 hours")],
  ["2d", t("Last 2 days")],
  ["7d", t("Last 7 days")],
  ["30d", t("Last 30 days")],
]);
export const DEFAULT_LOOKBACK = "1h";
const UNIT_US = { s: 1e6, m: 60e6, h: 3_600e6, d: 86_400e6 };

/** @typedef {{lookback: string, start: number | null, end: number | null}} Range lookback is "custom" when absolute */

/** @param {string} lookback @returns {number | null} microseconds */
export function lookbackUs(lookback) {
  const match = /^(\d{1,6})([smhd])$/.exec(lookback);
  return match && Number(match[1]) > 0 ? Number(match[1]) * UNIT_US[/** @type {keyof typeof UNIT_US} */ (match[2])] : null;
}

/** @param {URLSearchParams} params @param {string} [otherwise] the page's default @returns {Range} what cannot be read is the default */
export function readRange(params, otherwise = DEFAULT_LOOKBACK) {
  const start = readMicros(params.get("start"));
  const end = readMicros(params.get("end"));
  const lookback = params.get("lookback");
  if (start !== null && end !== null && start < end && (lookback === null || lookbackUs(lookback) === null)) {
    return { lookback: "custom", start, end };
  }
  return { lookback: lookback && lookbackUs(lookback) ? lookback : otherwise, start: null, end: null };
}

/** @param {Range} range @param {number} nowMs @returns {{start: number, end: number}} microseconds */
export function resolve(range, nowMs) {
  if (range.start !== null && range.end !== null) return { start: range.start, end: range.end };
  const end = nowMs * 1000;
  return { start: end - (lookbackUs(range.lookback) ?? 3_600e6), end };
}

/** @param {Range} range @returns {Record<string, string | null>} parameters of the address */
export function rangeParams(range) {
  return range.start !== null && range.end !== null
    ? { lookback: "custom", start: String(range.start), end: String(range.end) }
    : { lookback: range.lookback, start: null, end: null };
}

/** @param {string | null} text */
function readMicros(text) {
  return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null;
}

/** Value of a datetime-local input. @param {number} us */
export function toLocalInput(us) {
  const at = new Date(us / 1000);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

/** @param {string} text value of a datetime-local input @returns {number | null} microseconds */
export function fromLocalInput(text) {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? null : at * 1000;
}
