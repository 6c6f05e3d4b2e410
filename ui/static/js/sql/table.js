/** Rows of an answer: sorted by a click, and only those in sight are in the document. */

import { href } from "../lib/address.js";
import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { cut, isNumber, sorted, written } from "./model.js";

/** @typedef {import("./model.js").Answer} Answer */

const ROW = 27; // pixels; as in the style sheet, with its line
const BEYOND = 20; // rows drawn above and below the sight
const VIRTUAL_FROM = 200;

/** @param {HTMLElement} scroller */
export function rowsTable(scroller) {
  const head = h("thead");
  const body = h("tbody");
  const table = h("table", { class: "sql-rows" }, head, body);
  /** @type {Answer} */
  let answer = { columns: [], rows: [], row_count: 0 };
  /** @type {any[][]} */
  let rows = [];
  let order = { place: -1, down: false };
  let frame = 0;
  scroller.addEventListener("scroll", () => {
    if (rows.length < VIRTUAL_FROM) return;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  });

  /** @param {Answer} next */
  function show(next) {
    answer = next;
    rows = next.rows;
    order = { place: -1, down: false };
    scroller.scrollTop = 0;
    heads();
    draw();
    scroller.replaceChildren(table);
  }

  function heads() {
    head.replaceChildren(
      h(
        "tr",
        {},
        ...answer.columns.map((column, place) => {
          const now = order.place === place ? (order.down ? "descending" : "ascending") : null;
          const sign = now && (order.down ? " ↓" : " ↑");
          return h("th", { scope: "col", "aria-sort": now, class: isNumber(column) ? "number" : null }, h("button", { type: "button", on: { click: () => sort(place) } }, column.name, sign, h("small", {}, column.type)));
        }),
      ),
    );
  }

  /** @param {number} place */
  function sort(place) {
    order = { place, down: order.place === place && !order.down };
    rows = sorted(answer, place, order.down);
    heads();
    draw();
  }

  function draw() {
    const all = rows.length < VIRTUAL_FROM;
    const first = all ? 0 : Math.max(Math.floor(scroller.scrollTop / ROW) - BEYOND, 0);
    const last = all ? rows.length : Math.min(first + Math.ceil((scroller.clientHeight || innerHeight) / ROW) + 2 * BEYOND, rows.length);
    body.replaceChildren(space(first), ...rows.slice(first, last).map(line), space(rows.length - last));
  }

  /** What stands for rows out of sight. @param {number} hidden */
  function space(hidden) {
    return h("tr", { class: "space", "aria-hidden": "true" }, h("td", { colspan: answer.columns.length, style: { height: `${hidden * ROW}px` } }));
  }

  /** @param {any[]} row */
  function line(row) {
    return h("tr", {}, ...row.map((value, place) => cell(value, answer.columns[place])));
  }

  /** @param {any} value @param {import("./model.js").Column} column */
  function cell(value, column) {
    const text = written(value);
    if (text === null) return h("td", { class: "null" }, "NULL");
    if (column.name === "trace_id" && /^[0-9a-f]{32}$/.test(text)) return h("td", {}, h("a", { href: href(`/trace/${text}`) }, text));
    return h("td", { class: isNumber(column) ? "number" : null, title: text.length > 60 ? text : null }, cut(text));
  }

  return { show, said: () => count(answer.row_count, "row") };
}
