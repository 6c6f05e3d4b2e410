/** SQL for the query box: what can stand at the caret, and where an error is. */

/** @typedef {import("../lib/completion.js").Completion} Completion @typedef {import("./model.js").Table} Table */

import { quoted } from "./model.js";

const KEYWORDS =
  "SELECT FROM WHERE GROUP_BY ORDER_BY LIMIT HAVING QUALIFY JOIN LEFT_JOIN ON USING WITH AS AND OR NOT IN IS_NULL BETWEEN LIKE ILIKE DISTINCT UNION_ALL CASE_WHEN THEN ELSE END DESC ASC INTERVAL OVER PARTITION_BY ASOF_JOIN GROUP_BY_ALL";

/**
 * @param {() => Promise<{tables: Table[], functions: string[]}>} schema
 * @returns {import("../lib/querybox.js").Language}
 */
export function sql(schema) {
  /** @param {string} before @param {AbortSignal} _signal @param {string} text @returns {Promise<Completion[]>} */
  async function candidates(before, _signal, text) {
    const { tables, functions } = await schema();
    const named = tables.map(({ name }) => ({ text: name, kind: "table", insert: quoted(name) }));
    if (/\b(from|join)\s+"?\w*$/i.test(before)) return named;
    const used = tables.filter(({ name }) => new RegExp(`\\b${name}\\b`, "i").test(text));
    const columns = (used.length ? used : tables).flatMap(({ columns: own }) => own);
    const seen = new Set();
    return [
      ...columns.filter(({ name }) => !seen.has(name) && seen.add(name)).map(({ name, type }) => ({ text: name, kind: type, insert: quoted(name) })),
      ...named,
      ...KEYWORDS.split(" ").map((each) => each.replaceAll("_", " ")).map((each) => ({ text: each, kind: "keyword", insert: `${each} ` })),
      ...functions.map((each) => ({ text: each, kind: "function", insert: `${each}(` })),
    ];
  }
  return { typed, candidates, located, runs: (event) => event.ctrlKey || event.metaKey };
}

/** The word before the caret, unless it is inside a text or a comment. @param {string} before @returns {string | null} */
export function typed(before) {
  const plain = before.replace(/'(?:[^']|'')*'/g, "").replace(/--[^\n]*\n/g, "");
  if (/'|--/.test(plain)) return null;
  const word = /"?[A-Za-z_][\w.]*$/.exec(before)?.[0] ?? "";
  const relation = /\b(from|join)\s+$/i.test(before);
  return word || (relation ? "" : null);
}

/**
 * The engine shows the line with a caret below it; our own messages name line and column.
 * @param {string} message @returns {{line: number, column: number, text: string}}
 */
export function located(message) {
  const named = /\(line (\d+), column (\d+)\)/.exec(message);
  if (named) return { line: Number(named[1]), column: Number(named[2]), text: message.replace(` ${named[0]}`, "") };
  const shown = /\n\nLINE (\d+): (.*)\n( *)\^\s*$/s.exec(message);
  if (!shown || shown[2].startsWith("...")) return { line: 1, column: 0, text: message.split("\n\nLINE ")[0] };
  const prefix = `LINE ${shown[1]}: `.length;
  return { line: Number(shown[1]), column: shown[3].length - prefix + 1, text: message.slice(0, shown.index) };
}
