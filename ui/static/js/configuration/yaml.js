/** Where in a YAML text the caret stands: below which keys, and what is typed there. Block style only. */

/**
 * @typedef {{column: number, name: string | null, keys: Set<string>}} Frame an open mapping's key (name), or a list's item (null);
 *   keys: those of the mapping below it
 * @typedef {{path: (string | null)[], key: string | null, typed: string, siblings: Set<string>}} Caret path: keys from the root, null for an item
 *   of a list; key: whose value is typed, null where a key is
 */

const KEY = /^([\w./-]+):(?: +(.*))?$/;

/** @param {string} before the text before the caret @returns {Caret | null} null where nothing can be completed */
export function caretOf(before) {
  const lines = before.split("\n").slice(before.split("\n").lastIndexOf("---") + 1);
  const current = lines.pop() ?? "";
  /** @type {Frame[]} */
  const frames = [{ column: -1, name: "", keys: new Set() }];
  for (const line of lines) {
    const { column, text } = content(line, frames);
    const found = KEY.exec(text);
    if (found) open(frames, column, found[1]);
  }
  const { column, text } = content(current, frames);
  if (text.startsWith("#")) return null;
  const valued = /^([\w./-]+): +["']?([^\s"'#]*)$/.exec(text);
  if (valued) {
    open(frames, column, valued[1]);
    return { path: path(frames), key: valued[1], typed: valued[2], siblings: new Set() };
  }
  if (!/^[\w./-]*$/.test(text)) return null;
  while (column <= top(frames).column) frames.pop();
  return { path: path(frames), key: null, typed: text, siblings: top(frames).keys };
}

/** @param {Frame[]} frames */
function top(frames) {
  return frames[frames.length - 1];
}

/** @param {Frame[]} frames */
function path(frames) {
  return frames.slice(1).map(({ name }) => name);
}

/** What stands behind the indentation and the dashes, which open items. @param {string} line @param {Frame[]} frames */
function content(line, frames) {
  let column = line.length - line.trimStart().length;
  let text = line.slice(column);
  while (text === "-" || text.startsWith("- ")) {
    // A list may stand as far left as its own key.
    while (top(frames).column > column || (top(frames).column === column && top(frames).name === null)) frames.pop();
    frames.push({ column, name: null, keys: new Set() });
    const rest = text.slice(1).trimStart();
    column += text.length - rest.length;
    text = rest;
  }
  return { column, text };
}

/** @param {Frame[]} frames @param {number} column @param {string} name */
function open(frames, column, name) {
  while (column <= top(frames).column) frames.pop();
  top(frames).keys.add(name);
  frames.push({ column, name, keys: new Set() });
}
