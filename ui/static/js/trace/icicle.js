/** Places of a flame graph's boxes: a box is as wide as the time in it and below it. */

/**
 * @typedef {import("./paths.js").PathNode} PathNode
 * @typedef {{node: PathNode, parent: number, left: number, width: number, level: number}} Box left and width from 0 to 1
 */

/**
 * @param {PathNode[]} roots @param {number} least boxes narrower than this part of the whole are left out
 * @returns {Box[]} depth first; parent is an index into it, -1 for roots
 */
export function icicle(roots, least) {
  const whole = roots.reduce((sum, { weight }) => sum + weight, 0);
  /** @type {Box[]} */
  const boxes = [];
  /** @type {Box[]} */
  const waiting = siblings(roots, -1, 0, 0, (node) => (whole ? node.weight / whole : 1 / roots.length));
  while (waiting.length) {
    const box = /** @type {Box} */ (waiting.pop());
    if (box.width < least) continue;
    const at = boxes.push(box) - 1;
    waiting.push(...siblings(box.node.children, at, box.level + 1, box.left, (node) => (box.node.weight ? (node.weight / box.node.weight) * box.width : 0)));
  }
  return boxes;
}

/** @param {PathNode[]} nodes @param {number} parent @param {number} level @param {number} left @param {(node: PathNode) => number} share */
function siblings(nodes, parent, level, left, share) {
  /** @type {Box[]} */
  const placed = [];
  for (const node of nodes) {
    const width = share(node);
    placed.push({ node, parent, left, width, level });
    left += width;
  }
  return placed.reverse(); // the last is taken first
}
