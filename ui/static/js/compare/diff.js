/** The difference of two traces: their merged paths laid upon each other. */

import { mergePaths } from "../trace/paths.js";

/**
 * @typedef {import("../trace/paths.js").PathNode} PathNode
 * @typedef {"added" | "removed" | "more" | "fewer" | "same"} Change from a to b
 * @typedef {{service: string, name: string, depth: number, change: Change, a: PathNode | null, b: PathNode | null,
 *   ratio: number | null}} Line ratio: average duration in b over that in a; null when one is missing or zero
 */

/** @param {import("../trace/model.js").Trace} a @param {import("../trace/model.js").Trace} b @returns {Line[]} parents before children */
export function diffTraces(a, b) {
  /** @type {Line[]} */
  const lines = [];
  /** @type {[PathNode | null, PathNode | null][]} */
  const waiting = pairs(mergePaths(a), mergePaths(b)).reverse();
  while (waiting.length) {
    const [left, right] = /** @type {[PathNode | null, PathNode | null]} */ (waiting.pop());
    const { service, name, depth } = /** @type {PathNode} */ (left ?? right);
    lines.push({ service, name, depth, change: changeOf(left?.count ?? 0, right?.count ?? 0), a: left, b: right, ratio: ratioOf(left, right) });
    waiting.push(...pairs(left?.children ?? [], right?.children ?? []).reverse());
  }
  return lines;
}

/** In the order of a, then what only b has. @param {PathNode[]} a @param {PathNode[]} b @returns {[PathNode | null, PathNode | null][]} */
function pairs(a, b) {
  const inB = new Map(b.map((node) => [node.key, node]));
  const inA = new Set(a.map(({ key }) => key));
  return [
    ...a.map((node) => /** @type {[PathNode, PathNode | null]} */ ([node, inB.get(node.key) ?? null])),
    ...b.filter(({ key }) => !inA.has(key)).map((node) => /** @type {[null, PathNode]} */ ([null, node])),
  ];
}

/** @param {number} a @param {number} b @returns {Change} */
function changeOf(a, b) {
  if (a === 0) return "added";
  if (b === 0) return "removed";
  return b > a ? "more" : b < a ? "fewer" : "same";
}

/** @param {PathNode | null} a @param {PathNode | null} b */
function ratioOf(a, b) {
  return a && b && a.total > 0 ? b.total / b.count / (a.total / a.count) : null;
}
