/** PromQL for the query box: what can stand at the caret, and where an error is. */

import { get } from "../lib/api.js";

const WORD = /[a-zA-Z_:][\w:.]*$/;

/** @typedef {import("../lib/completion.js").Completion} Completion */
/** @typedef {{kind: "name" | "label" | "value", typed: string, label: string, metric: string}} Place */

/** @returns {import("../lib/querybox.js").Language} */
export function promql() {
  /** @type {Promise<Completion[]> | null} */
  let words = null;

  /** @param {string} before @param {AbortSignal} signal @returns {Promise<Completion[]>} */
  async function candidates(before, signal) {
    const place = placeOf(before);
    if (place === null) return [];
    const match = place.metric ? { "match[]": `{__name__=${JSON.stringify(place.metric)}}` } : {};
    if (place.kind === "name") return (words ??= loadWords());
    const path = place.kind === "label" ? "/api/v1/labels" : `/api/v1/label/${encodeURIComponent(place.label)}/values`;
    const { data } = await get(path, { ...match, limit: 10000 }, signal);
    return /** @type {string[]} */ (data)
      .filter((text) => place.kind === "value" || /^[a-zA-Z_]\w*$/.test(text))
      .map((text) => ({ text, kind: "", insert: place.kind === "value" ? text.replace(/["\\]/g, "\\$&") : text }));
  }

  /** @returns {Promise<Completion[]>} */
  async function loadWords() {
    const [names, language, told] = await Promise.all([
      get("/api/v1/label/__name__/values", { limit: 40000 }),
      get("/api/vigla/v1/promql"),
      get("/api/v1/metadata", { limit: 40000, limit_per_metric: 1 }).catch(() => ({ data: {} })),
    ]);
    const kinds = (/** @type {string} */ name) => told.data[name]?.[0]?.type ?? told.data[name.replace(/_(bucket|count|sum|total)$/, "")]?.[0]?.type ?? "metric";
    return [
      ...names.data.map((/** @type {string} */ text) => ({ text, kind: kinds(text), insert: /^[a-zA-Z_:][\w:]*$/.test(text) ? text : `{${JSON.stringify(text)}}` })),
      ...language.functions.map((/** @type {string} */ text) => ({ text, kind: "function", insert: `${text}(` })),
      ...language.aggregations.map((/** @type {string} */ text) => ({ text, kind: "aggregation", insert: `${text} ` })),
    ];
  }

  return { typed: (before) => placeOf(before)?.typed ?? null, candidates, located, runs: (event) => !event.shiftKey };
}

/**
 * What can stand where the caret is.
 * @param {string} before text before the caret @returns {Place | null} null: nothing is suggested
 */
export function placeOf(before) {
  const open = unclosed(before);
  if (open !== null) {
    const inside = before.slice(open + 1);
    const metric = /([a-zA-Z_:][\w:]*)\s*$/.exec(before.slice(0, open))?.[1] ?? "";
    const value = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)$/.exec(inside);
    if (value) return { kind: "value", typed: value[2], label: value[1], metric };
    if (/"[^"]*$/.test(inside.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return null;
    return { kind: "label", typed: WORD.exec(inside)?.[0] ?? "", label: "", metric };
  }
  if (/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*$/.test(before)) {
    return { kind: "label", typed: WORD.exec(before)?.[0] ?? "", label: "", metric: "" };
  }
  if (/\[[^\]]*$/.test(before) || /"(?:[^"\\]|\\.)*$/.test(before.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return null;
  const typed = WORD.exec(before)?.[0] ?? "";
  return typed ? { kind: "name", typed, label: "", metric: "" } : null;
}

/** @param {string} text @returns {number | null} offset of the brace that is still open */
function unclosed(text) {
  let open = null;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\" && quoted) i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === "{") open = i;
    else if (!quoted && text[i] === "}") open = null;
  }
  return open;
}

/**
 * Prometheus' messages begin with line and column.
 * @param {string} message @returns {{line: number, column: number, text: string}} column 0: no place is named
 */
export function located(message) {
  const found = /^(?:invalid parameter "query": )?(\d+):(\d+): (.*)$/s.exec(message);
  return found ? { line: Number(found[1]), column: Number(found[2]), text: found[3] } : { line: 1, column: 0, text: message };
}
