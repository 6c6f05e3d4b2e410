/** The address bar holds the state of every view. */

export const base = document.documentElement.dataset.base ?? "";

/** @returns {URLSearchParams} */
export function params() {
  return new URLSearchParams(location.search);
}

/**
 * Address of a page.
 * @param {string} path @param {Record<string, string | number | null | undefined>} [query] empty values are left out
 */
export function href(path, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  return `${base}${path}${search.size ? `?${search}` : ""}`;
}

/**
 * Changes some parameters of this page's address. A step that the user would undo with the back button makes a
 * history entry; what only follows a gesture (scrolling, selection) replaces the current one.
 * @param {Record<string, string | string[] | null | undefined>} changes a list repeats its parameter
 * @param {"push" | "replace"} mode
 */
export function change(changes, mode) {
  const query = params();
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const text of Array.isArray(value) ? value : [value]) if (text) query.append(name, text);
  }
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  if (address === location.pathname + location.search) return;
  if (mode === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

/** @param {() => void} listener called when the user goes back or forward within the page */
export function onNavigate(listener) {
  addEventListener("popstate", listener);
}
