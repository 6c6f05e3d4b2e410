/** A short message that goes by itself. */

import { one } from "./dom.js";

const SHOWN_MS = 4000;

/** @param {string} text */
export function toast(text) {
  const place = one(".toast");
  place.textContent = text;
  place.hidden = false;
  setTimeout(() => (place.hidden = true), SHOWN_MS);
}
