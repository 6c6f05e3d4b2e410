/** Answers of the SQL API, sorted and written. */

/**
 * @typedef {{name: string, type: string}} Column type as Arrow names it
 * @typedef {{columns: Column[], rows: any[][], row_count: number}} Answer
 * @typedef {{name: string, description: string, columns: {name: string, type: string, description: string}[]}} Table
 */

const NUMBER = /^(u?int\d+|float|double|halffloat|decimal)/;
const LONGEST = 500; // characters of a cell that are drawn; the whole is in its title

/** @param {Column} column */
export function isNumber({ type }) {
  return NUMBER.test(type);
}

/** A cell's text; null stands for SQL's NULL. @param {any} value @returns {string | null} */
export function written(value) {
  if (value === null || value === undefined) return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {string} text */
export function cut(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/**
 * Rows in the order of one column; NULL comes last both ways.
 * @param {Answer} answer @param {number} place @param {boolean} down @returns {any[][]}
 */
export function sorted({ columns, rows }, place, down) {
  const number = isNumber(columns[place]);
  const key = (/** @type {any} */ value) => (number ? Number(value) : written(value));
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [a[place], b[place]];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const [p, q] = [key(x), key(y)];
    return p === q ? 0 : /** @type {any} */ (p) < /** @type {any} */ (q) ? -sign : sign;
  });
}

/** A name as SQL needs it. @param {string} name */
export function quoted(name) {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A first query of a table: the newest rows. @param {Table} table */
export function example({ name, columns }) {
  const timed = columns.some((column) => column.name === "ts");
  return `SELECT *\nFROM ${quoted(name)}${timed ? "\nORDER BY ts DESC" : ""}\nLIMIT 100`;
}

const HISTORY = "vigla.sql";
const KEPT = 30;

/** Queries that ran, newest first. @returns {string[]} */
export function earlier() {
  try {
    const found = JSON.parse(localStorage.getItem(HISTORY) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  } catch {
    return []; // what another program wrote there
  }
}

/** @param {string} query */
export function remember(query) {
  localStorage.setItem(HISTORY, JSON.stringify([query, ...earlier().filter((each) => each !== query)].slice(0, KEPT)));
}
