/** Spans merged by path: those of one service and operation below the same merged parent are one node. */

import { selfTime } from "./selftime.js";

/**
 * @typedef {import("./model.js").Trace} Trace
 * @typedef {{key: string, service: string, name: string, first: string, depth: number, count: number, total: number,
 *   self: number, weight: number, errors: number, children: PathNode[]}} PathNode
 *   key is unique among siblings, first the key of its earliest span; weight is the self time of it and all below
 */

/** @param {Trace} trace @returns {PathNode[]} roots; all lists in order of the first span */
export function mergePaths(trace) {
  /** @type {PathNode[]} */
  const roots = [];
  /** @type {PathNode[]} by span index */
  const nodes = [];
  /** @type {Map<PathNode | null, Map<string, PathNode>>} */
  const below = new Map();
  /** @type {PathNode[]} */
  const made = [];
  for (const index of trace.order) {
    const span = trace.spans[index];
    const parent = span.parent === -1 ? null : nodes[span.parent];
    const siblings = below.get(parent) ?? new Map();
    below.set(parent, siblings);
    const key = JSON.stringify([span.service, span.name]);
    let node = siblings.get(key);
    if (!node) {
      node = { key, service: span.service, name: span.name, first: span.key, depth: parent ? parent.depth + 1 : 0, count: 0, total: 0, self: 0, weight: 0, errors: 0, children: [] };
      siblings.set(key, node);
      (parent ? parent.children : roots).push(node);
      made.push(node);
    }
    nodes[index] = node;
    node.count += 1;
    node.total += span.duration;
    node.self += selfTime(trace.spans, index);
    node.errors += Number(span.error);
  }
  for (const node of made.reverse()) node.weight = node.self + node.children.reduce((sum, child) => sum + child.weight, 0);
  return roots;
}
