/**
 * A layered layout in time that grows with the edges: for graphs that dagre, which orders every edge's way through
 * every layer, would take minutes for. Layers by the distance from the callers, each in as many columns as keep
 * the drawing's shape, ordered so that neighbours are near.
 */

/** @typedef {import("./model.js").Graph} Graph @typedef {import("./layout.js").Direction} Direction @typedef {{width: number, height: number}} Size */

const SWEEPS = 8;
const SHAPE = 1.6; // width by height of the drawing
const STEEP = 3; // so many times the square root of the nodes are too many layers

/**
 * @param {Graph} graph @param {Direction} direction @param {(id: string) => Size} size of each box @param {{layer: number, node: number}} gap pixels
 * @returns {Map<string, {x: number, y: number}>} centres
 */
export function places({ nodes, edges }, direction, size, gap) {
  const ids = nodes.map(({ id }) => id);
  const near = neighbours(ids, edges);
  const columns = folded(ordered(ranks(ids, near), near), direction);
  const across = direction === "LR";
  /** @type {Map<string, {x: number, y: number}>} */
  const found = new Map();
  let along = 0;
  for (const { column, first } of columns) {
    const sizes = column.map(size);
    const deep = Math.max(...sizes.map(({ width, height }) => (across ? width : height)));
    const wide = sizes.reduce((sum, { width, height }) => sum + (across ? height : width) + gap.node, -gap.node);
    along += first ? gap.layer : gap.node;
    let side = -wide / 2;
    for (const [place, id] of column.entries()) {
      const own = across ? sizes[place].height : sizes[place].width;
      found.set(id, across ? { x: along + deep / 2, y: side + own / 2 } : { x: side + own / 2, y: along + deep / 2 });
      side += own + gap.node;
    }
    along += deep;
  }
  return found;
}

/** @typedef {Map<string, {out: string[], in: string[]}>} Near */

/** @param {string[]} ids @param {Graph["edges"]} edges @returns {Near} */
function neighbours(ids, edges) {
  /** @type {Near} */
  const near = new Map(ids.map((id) => [id, { out: [], in: [] }]));
  for (const { parent, child } of edges) {
    if (parent === child) continue;
    near.get(parent)?.out.push(child);
    near.get(child)?.in.push(parent);
  }
  return near;
}

/** Layers: by the longest way from a caller, or by the shortest where that would be too many. @param {string[]} ids @param {Near} near @returns {string[][]} */
function ranks(ids, near) {
  const shortest = distances(ids, near);
  const longest = depths(ids, near, shortest);
  const layers = Math.max(...longest.values()) + 1;
  const chosen = layers > STEEP * Math.sqrt(ids.length) ? shortest : longest;
  /** @type {string[][]} */
  const found = [];
  for (const id of ids) (found[chosen.get(id) ?? 0] ??= []).push(id);
  return found.filter(Boolean);
}

/** From what nobody calls; where everybody is called, from the first. @param {string[]} ids @param {Near} near @returns {Map<string, number>} */
function distances(ids, near) {
  /** @type {Map<string, number>} */
  const found = new Map();
  const spread = (/** @type {string[]} */ from) => {
    for (const id of from) found.set(id, 0);
    for (let queue = from; queue.length; ) {
      /** @type {string[]} */
      const next = [];
      for (const id of queue) {
        for (const other of near.get(id)?.out ?? []) {
          if (found.has(other)) continue;
          found.set(other, (found.get(id) ?? 0) + 1);
          next.push(other);
        }
      }
      queue = next;
    }
  };
  spread(ids.filter((id) => near.get(id)?.in.length === 0));
  for (const id of ids) if (!found.has(id)) spread([id]);
  return found;
}

/** The longest way along calls that lead away from the callers. @param {string[]} ids @param {Near} near @param {Map<string, number>} shortest @returns {Map<string, number>} */
function depths(ids, near, shortest) {
  // Only such calls, so that there are no circles: a call back to a nearer layer does not count.
  const place = new Map([...ids].sort((a, b) => (shortest.get(a) ?? 0) - (shortest.get(b) ?? 0)).map((id, i) => [id, i]));
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const id of place.keys()) {
    const before = (near.get(id)?.in ?? []).filter((other) => (shortest.get(other) ?? 0) < (shortest.get(id) ?? 0));
    found.set(id, Math.max(-1, ...before.map((other) => found.get(other) ?? 0)) + 1);
  }
  return found;
}

/** Each layer in the order of where its neighbours are. @param {string[][]} layers @param {Near} near @returns {string[][]} */
function ordered(layers, near) {
  /** @type {Map<string, number>} */
  const at = new Map();
  const settle = (/** @type {string[]} */ layer) => layer.forEach((id, place) => at.set(id, (place + 0.5) / layer.length));
  layers.forEach(settle);
  const middle = (/** @type {string} */ id) => {
    const around = [...(near.get(id)?.in ?? []), ...(near.get(id)?.out ?? [])];
    return around.length ? around.reduce((sum, other) => sum + (at.get(other) ?? 0.5), 0) / around.length : (at.get(id) ?? 0.5);
  };
  let now = layers;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    now = now.map((layer) => {
      const wanted = new Map(layer.map((id) => [id, middle(id)]));
      const next = [...layer].sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      settle(next);
      return next;
    });
  }
  return now;
}

/** Columns of about the same height; `first` begins a layer. @param {string[][]} layers @param {Direction} direction @returns {{column: string[], first: boolean}[]} */
function folded(layers, direction) {
  const all = layers.reduce((sum, layer) => sum + layer.length, 0);
  // A box with its gaps is about five times as wide as high.
  const most = Math.max(Math.ceil(Math.sqrt((all * 5) / SHAPE) / (direction === "LR" ? 1 : 5)), 4);
  return layers.flatMap((layer) => {
    const parts = Math.ceil(layer.length / most);
    return Array.from({ length: parts }, (_, part) => ({
      column: layer.filter((_, place) => Math.floor((place * parts) / layer.length) === part),
      first: part === 0,
    }));
  });
}
