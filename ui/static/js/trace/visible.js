/** Which spans are shown: not below a collapsed one, and of the chosen services. */

/** @typedef {import("./model.js").Trace} Trace */

/**
 * @param {Trace} trace
 * @param {Set<string>} collapsed keys of spans
 * @param {Set<string>} services names; empty for all
 * @returns {number[]} span indices in order of rows
 */
export function visibleRows({ spans, order }, collapsed, services) {
  const rows = [];
  let hiddenBelow = Infinity; // depth of the collapsed span whose tree is being skipped
  for (const index of order) {
    const { depth, key, service } = spans[index];
    if (depth > hiddenBelow) continue;
    hiddenBelow = collapsed.has(key) ? depth : Infinity;
    if (services.size === 0 || services.has(service)) rows.push(index);
  }
  return rows;
}

/** Keys of all spans with children. @param {Trace} trace */
export function collapsible({ spans }) {
  return spans.filter((span) => span.children.length).map((span) => span.key);
}

/** Ancestors of a span, nearest first. @param {Trace} trace @param {number} index */
export function ancestors({ spans }, index) {
  const found = [];
  for (let at = spans[index].parent; at !== -1; at = spans[at].parent) found.push(at);
  return found;
}
