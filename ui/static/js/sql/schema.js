/** Tables and columns; a click writes a name at the caret. */

import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { example, quoted } from "./model.js";

/** @typedef {import("./model.js").Table} Table */

/**
 * @param {HTMLElement} place @param {HTMLInputElement} find
 * @param {{insert: (text: string) => void, run: (query: string) => void}} actions
 */
export function schemaBrowser(place, find, actions) {
  /** @type {Table[]} */
  let tables = [];
  find.addEventListener("input", draw);

  function draw() {
    const wanted = find.value.trim().toLowerCase();
    const has = (/** @type {string} */ text) => text.toLowerCase().includes(wanted);
    const shown = tables
      .map((table) => ({ table, columns: has(table.name) ? table.columns : table.columns.filter(({ name }) => has(name)) }))
      .filter(({ table, columns }) => columns.length || has(table.name));
    place.replaceChildren(...shown.map(({ table, columns }) => section(table, columns, wanted !== "")));
    if (!shown.length && tables.length) place.replaceChildren(h("p", { class: "muted" }, t("Nothing has this in its name")));
  }

  /** @param {Table} table @param {Table["columns"]} columns @param {boolean} open */
  function section(table, columns, open) {
    return h(
      "details",
      { open },
      h("summary", {}, table.name),
      h("p", {}, table.description),
      h("button", { class: "button", type: "button", on: { click: () => actions.run(example(table)) } }, t("Newest rows")),
      h(
        "ul",
        {},
        ...columns.map(({ name, type, description }) =>
          h("li", {}, h("button", { type: "button", title: description, on: { click: () => actions.insert(quoted(name)) } }, name), h("small", {}, type)),
        ),
      ),
    );
  }

  /** @param {Table[]} found */
  function show(found) {
    tables = found;
    draw();
  }
  return { show };
}
