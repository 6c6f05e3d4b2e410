/** Ticks of axes. */

const SECOND = 1e6;
const TIME_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  10800, 21600, 43200, 86400, 172800, 604800, 1209600,
].map((seconds) => seconds * SECOND);

/**
 * Round local times between two, at most `most`.
 * @param {number} start µs since 1970 @param {number} end @param {number} most
 * @returns {{at: number, label: string}[]}
 */
export function timeTicks(start, end, most) {
  const step = TIME_STEPS.find((size) => (end - start) / size <= most) ?? Math.ceil((end - start) / most);
  const offset = new Date(start / 1000).getTimezoneOffset() * 60 * SECOND;
  const ticks = [];
  for (let at = Math.ceil((start - offset) / step) * step + offset; at <= end; at += step) {
    ticks.push({ at, label: timeLabel(at, step) });
  }
  return ticks;
}

/** @param {number} us @param {number} step */
function timeLabel(us, step) {
  const at = new Date(us / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const minute = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (step >= 86_400 * SECOND) return day;
  if (step >= 3_600 * SECOND && at.getHours() === 0) return day;
  if (step >= 60 * SECOND) return minute;
  const second = `${minute}:${two(at.getSeconds())}`;
  return step >= SECOND ? second : `${second}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/**
 * Round values on a logarithmic axis: powers of ten, and 2 and 5 between them where there is room.
 * @param {number} low > 0 @param {number} high @param {number} most @returns {number[]}
 */
export function logTicks(low, high, most) {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const factor of factors) {
        const value = factor * 10 ** power;
        if (value >= low && value <= high) ticks.push(value);
      }
    }
    if (ticks.length <= most || factors.length === 1) return thin(ticks, most);
  }
  return [];
}

/** @param {number[]} ticks @param {number} most */
function thin(ticks, most) {
  const every = Math.ceil(ticks.length / most);
  return ticks.filter((_, i) => i % every === 0);
}

/**
 * Round values from 0 on a linear axis, at most `most` besides 0.
 * @param {number} start @param {number} end @param {number} most @returns {number[]}
 */
export function linearTicks(start, end, most) {
  const rough = (end - start) / most;
  if (!(rough > 0)) return [start];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const ticks = [];
  for (let i = Math.ceil(start / step - 1e-9); i * step <= end + step * 1e-9; i++) ticks.push(i * step + 0); // + 0: never minus zero
  return ticks;
}
