/** Numbers, durations and times as people read them: three significant digits and a unit. */

import { t } from "./texts.js";

export { count } from "./texts.js";

const DURATION_UNITS = /** @type {const} */ ([
  [86_400e6, "d"],
  [3_600e6, "h"],
  [60e6, "min"],
  [1e6, "s"],
  [1e3, "ms"],
]);

/** @param {number} value @returns {string} three significant digits, no trailing zeros, never an exponent */
export function significant(value) {
  return String(Number(Number(value.toPrecision(3)).toFixed(6)));
}

/** @param {number} us microseconds */
export function duration(us) {
  for (const [size, unit] of DURATION_UNITS) {
    // 999.6 ms would be rounded to "1000 ms": compare what will be shown.
    if (Number((Math.abs(us) / size).toPrecision(3)) >= 1) return `${significant(us / size)} ${unit}`;
  }
  return `${significant(us)} µs`;
}

/** @param {number} us microseconds */
export function exactDuration(us) {
  return `${us.toLocaleString("en", { maximumFractionDigits: 3 })} µs`;
}

/** @param {number} value for example 12.4k */
export function compact(value) {
  for (const [size, unit] of /** @type {const} */ ([[1e9, "G"], [1e6, "M"], [1e3, "k"]])) {
    if (Math.abs(value) >= size * 0.9995) return significant(value / size) + unit;
  }
  return significant(value);
}

/** @param {number} part 0 to 1 */
export function percent(part) {
  return part > 0 && part < 0.0001 ? "< 0.01 %" : `${significant(part * 100)} %`;
}

const HOUR_MS = 3_600_000;

/** Relative for the last hour, then local date and time. @param {number} us since 1970 @param {number} nowMs */
export function when(us, nowMs) {
  const age = nowMs - us / 1000;
  if (age < 0 || age >= HOUR_MS) return localTime(us);
  if (age < 1000) return t("now");
  return age < 60_000 ? t("{n} s ago", { n: Math.floor(age / 1000) }) : t("{n} min ago", { n: Math.floor(age / 60_000) });
}

/** @param {number} us since 1970 */
export function localTime(us) {
  const at = new Date(us / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** RFC 3339 in UTC with microseconds. @param {number} us since 1970 */
export function utc(us) {
  const micros = String(((Math.trunc(us) % 1000) + 1000) % 1000).padStart(3, "0");
  return new Date(Math.floor(us / 1000)).toISOString().replace("Z", `${micros}Z`);
}

const GO_UNITS = { ns: 1e-3, us: 1, µs: 1, μs: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3_600e6 };

/**
 * Reads a duration as Go writes it (`1h2m3.5s`, `250ms`).
 * @param {string} text @returns {number | null} microseconds; null when it is none
 */
export function parseDuration(text) {
  if (!/^(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * GO_UNITS[/** @type {keyof typeof GO_UNITS} */ (unit)];
  }
  return total;
}
