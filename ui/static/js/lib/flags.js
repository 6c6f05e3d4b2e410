/** Envoy's response flags in words, asked once. */

import { get } from "./api.js";

/** @type {Record<string, string>} */
let meanings = {};

/** Loads the words; without them flags stand alone. */
export async function loadFlags() {
  meanings = (await get("/api/vigla/v1/response-flags").catch(() => ({ flags: {} }))).flags;
}

/** @param {string} flag @returns {string} empty when it is not known */
export function meaning(flag) {
  return Object.hasOwn(meanings, flag) ? meanings[flag] : "";
}
