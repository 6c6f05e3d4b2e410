import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { dataset: {} } };
const kept = new Map();
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
const { located, sql, typed } = await import("../../../ui/static/js/sql/language.js");
const { earlier, example, isNumber, quoted, remember, sorted, written } = await import("../../../ui/static/js/sql/model.js");

const TABLES = [
  { name: "spans", description: "", columns: [{ name: "ts", type: "TIMESTAMP_NS", description: "" }, { name: "a.b", type: "VARCHAR", description: "" }] },
  { name: "series", description: "", columns: [{ name: "sid", type: "BIGINT", description: "" }] },
];

test("what is typed before the caret", () => {
  assert.equal(typed("SELECT cou"), "cou");
  assert.equal(typed("SELECT 'cou"), null);
  assert.equal(typed("-- cou"), null);
  assert.equal(typed("-- x\nsel"), "sel");
  assert.equal(typed("SELECT 1 "), null);
  assert.equal(typed("SELECT * FROM "), "");
});

test("tables after FROM; columns of the tables that are named elsewhere", async () => {
  const language = sql(async () => ({ tables: TABLES, functions: ["count"] }));
  const names = async (before, text = before) => (await language.candidates(before, undefined, text)).map(({ insert }) => insert);
  assert.deepEqual(await names("SELECT * FROM s"), ["spans", "series"]);
  const found = await names("SELECT s", "SELECT s FROM series");
  assert.ok(found.includes("sid") && found.includes("count(") && !found.includes("ts"));
  assert.ok((await names("SELECT a")).includes('"a.b"'));
});

test("where an error is", () => {
  const engine = 'Binder Error: Referenced column "foo" not found\n\nLINE 1: select foo from spans\n               ^';
  assert.deepEqual(located(engine), { line: 1, column: 8, text: 'Binder Error: Referenced column "foo" not found' });
  assert.deepEqual(located('there is no table "x" (line 2, column 6): the tables are y'), { line: 2, column: 6, text: 'there is no table "x": the tables are y' });
  assert.deepEqual(located("the query is empty"), { line: 1, column: 0, text: "the query is empty" });
});

test("rows are sorted by value, and NULL comes last", () => {
  const answer = { columns: [{ name: "n", type: "int64" }, { name: "s", type: "string" }], rows: [[10, "b"], [null, "a"], ["9007199254740993", null], [9, "B"]], row_count: 4 };
  assert.deepEqual(sorted(answer, 0, false).map(([n]) => n), [9, 10, "9007199254740993", null]);
  assert.deepEqual(sorted(answer, 0, true).map(([n]) => n), ["9007199254740993", 10, 9, null]);
  assert.deepEqual(sorted(answer, 1, false).map(([, s]) => s), ["B", "a", "b", null]);
});

test("cells, names and first queries", () => {
  assert.equal(written({ a: [1] }), '{"a":[1]}');
  assert.equal(written(null), null);
  assert.ok(isNumber({ name: "", type: "decimal128(5, 2)" }) && !isNumber({ name: "", type: "list<l: int32>" }));
  assert.equal(quoted('a."b'), '"a.""b"');
  assert.match(example(TABLES[0]), /ORDER BY ts DESC/);
  assert.doesNotMatch(example(TABLES[1]), /ORDER BY/);
});

test("queries that ran are kept, the newest first and each once", () => {
  for (const query of ["a", "b", "a"]) remember(query);
  assert.deepEqual(earlier(), ["a", "b"]);
  kept.set("vigla.sql", "{");
  assert.deepEqual(earlier(), []);
});
