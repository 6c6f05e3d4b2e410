/** Stable colours: the same service has the same hue on every page and in every session. */

export const HUES = 12; // classes svc-0 to svc-11 in tokens.css

/** @param {string} name @returns {string} class that sets --svc and --svc-text */
export function serviceClass(name) {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  hash ^= hash >>> 15; // its low bits alone are poorly spread over twelve
  return `svc-${(hash >>> 0) % HUES}`;
}
