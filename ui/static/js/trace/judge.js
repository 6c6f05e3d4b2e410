/** Whether a duration is unusual. */

/**
 * @param {number} took microseconds @param {import("./statistics.js").Usual | undefined} usual
 * @returns {"" | "slower" | "slow"} slower than the usual p95; slow when it took twice that
 */
export function judge(took, usual) {
  if (!usual || took <= usual.p95) return "";
  return took > usual.p95 * 2 ? "slow" : "slower";
}
