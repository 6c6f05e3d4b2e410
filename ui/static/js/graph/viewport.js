/** Panning and zooming a drawing. */

const SCALE = { least: 0.08, most: 2.5, fit: 1.1, step: 1.25, far: 0.55 };
const PAN = 60; // pixels of one arrow key
const DRAG = 4; // pixels before a press is a drag

/**
 * @param {SVGSVGElement} svg @param {SVGGElement} content
 */
export function viewport(svg, content) {
  let [k, x, y] = [1, 0, 0];
  let dragged = false;
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();

  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  svg.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = false;
  });
  svg.addEventListener("pointermove", move);
  for (const end of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
    svg.addEventListener(end, (event) => pointers.delete(event.pointerId));
  }
  // A drag that ends on a node is no click on it.
  svg.addEventListener("click", (event) => dragged && event.stopPropagation(), { capture: true });
  svg.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    [x, y] = [x + dx, y + dy];
    apply();
  });

  /** @param {PointerEvent} event */
  function move(event) {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    if (!dragged && Math.hypot(dx, dy) < DRAG) return;
    dragged = true;
    if (pointers.size === 2) pinch(event);
    else [x, y] = [x + dx, y + dy];
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    apply();
  }

  /** @param {PointerEvent} event */
  function pinch(event) {
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    const last = pointers.get(event.pointerId);
    if (!other || !last) return;
    const box = svg.getBoundingClientRect();
    const ratio = Math.hypot(event.clientX - other.x, event.clientY - other.y) / Math.max(Math.hypot(last.x - other.x, last.y - other.y), 1);
    zoom(ratio, (event.clientX + other.x) / 2 - box.left, (event.clientY + other.y) / 2 - box.top);
  }

  /** @param {number} ratio @param {number} [atX] stays where it is @param {number} [atY] */
  function zoom(ratio, atX = svg.clientWidth / 2, atY = svg.clientHeight / 2) {
    const next = Math.min(Math.max(k * ratio, SCALE.least), SCALE.most);
    [x, y, k] = [atX - ((atX - x) * next) / k, atY - ((atY - y) * next) / k, next];
    apply();
  }

  function fit() {
    const box = content.getBBox();
    if (!box.width || !svg.clientWidth) return;
    const margin = 32;
    k = Math.min((svg.clientWidth - margin) / box.width, (svg.clientHeight - margin) / box.height, SCALE.fit);
    k = Math.max(k, SCALE.least);
    x = (svg.clientWidth - box.width * k) / 2 - box.x * k;
    y = (svg.clientHeight - box.height * k) / 2 - box.y * k;
    apply();
  }

  /** @param {{x: number, y: number}} point */
  function centre(point) {
    [x, y] = [svg.clientWidth / 2 - point.x * k, svg.clientHeight / 2 - point.y * k];
    apply();
  }

  /** @param {{x: number, y: number, width: number, height: number}} box */
  function contains(box) {
    const [left, top] = [x + (box.x - box.width / 2) * k, y + (box.y - box.height / 2) * k];
    return left >= 0 && top >= 0 && left + box.width * k <= svg.clientWidth && top + box.height * k <= svg.clientHeight;
  }

  function apply() {
    content.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
    svg.classList.toggle("far", k < SCALE.far);
  }

  return { fit, centre, contains, zoomIn: () => zoom(SCALE.step), zoomOut: () => zoom(1 / SCALE.step) };
}
