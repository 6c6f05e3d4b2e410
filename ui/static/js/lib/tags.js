/** Tags as typed: logfmt, `key=value key2="v 2"`. Source: https://brandur.org/logfmt */

import { t } from "./texts.js";

/**
 * @param {string} text
 * @returns {{tags: Record<string, string>, error: string | null}} error says what to mend
 */
export function parseTags(text) {
  /** @type {Record<string, string>} */
  const tags = Object.create(null);
  let rest = text.trim();
  if (rest.startsWith("{")) return parseJson(rest);
  while (rest) {
    const match = /^([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?:\s+|$)/.exec(rest);
    if (!match) return { tags, error: t('Cannot read “{text}”: write key=value or key="a value"', { text: rest.slice(0, 40) }) };
    tags[match[1]] = match[2] === undefined ? match[3] : match[2].replace(/\\(.)/g, "$1");
    rest = rest.slice(match[0].length);
  }
  return { tags, error: null };
}

/** Jaeger's addresses carry tags as a JSON object. @param {string} text */
function parseJson(text) {
  /** @type {Record<string, string>} */
  const tags = Object.create(null);
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    return { tags, error: t("This is not a JSON object of tags") };
  }
  for (const [key, value] of Object.entries(read)) tags[key] = typeof value === "string" ? value : JSON.stringify(value);
  return { tags, error: null };
}

/** @param {Record<string, string>} tags */
export function formatTags(tags) {
  return Object.entries(tags)
    .map(([key, value]) => `${key}=${/^[^\s"\\]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`)
    .join(" ");
}
