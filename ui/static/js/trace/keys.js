/** Keys of the timeline; the arrows work while it has the focus, letters anywhere on the page. */

/**
 * @param {HTMLElement} body
 * @param {{move: (by: number) => void, fold: (expand: boolean) => void, toggle: () => void, match: (by: number) => void}} actions
 */
export function handleKeys(body, actions) {
  /** @type {Record<string, () => void>} */
  const focused = {
    ArrowDown: () => actions.move(1),
    ArrowUp: () => actions.move(-1),
    PageDown: () => actions.move(20),
    PageUp: () => actions.move(-20),
    Home: () => actions.move(-Infinity),
    End: () => actions.move(Infinity),
    ArrowLeft: () => actions.fold(false),
    ArrowRight: () => actions.fold(true),
    Enter: actions.toggle,
    " ": actions.toggle,
  };
  /** @type {Record<string, () => void>} */
  const anywhere = {
    j: () => actions.move(1),
    k: () => actions.move(-1),
    n: () => actions.match(1),
    p: () => actions.match(-1),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const action = (target === body ? focused[event.key] : undefined) ?? (target.matches("input, select, textarea") ? undefined : anywhere[event.key]);
    if (!action) return;
    event.preventDefault();
    action();
  });
}
