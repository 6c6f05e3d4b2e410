import assert from "node:assert/strict";
import { test } from "node:test";
import { fields, histogram, readEntry } from "../../../ui/static/js/logs/model.js";

test("an entry fails by its status or its flags", () => {
  const at = (/** @type {any} */ more) => readEntry({ ts: "2026-01-01T00:00:00Z", ...more });
  assert.deepEqual([at({ status: 503 }).failed, at({ status: 200 }).failed, at({ status: 200, flags: ["UH"] }).failed, at({}).status], [true, false, true, 0]);
  assert.equal(at({ dur: 2_000_000 }).duration, 2000);
});

test("fields are those with a value, by their path", () => {
  assert.deepEqual(fields({ a: 1, b: "", c: null, d: [], e: ["x", "y"], tags: { rule: "http[0]" } }), [["a", "1"], ["e", "x, y"], ["tags.rule", "http[0]"]]);
});

test("entries over time", () => {
  const entries = [3, 2, 1, 0].map((second) => readEntry({ ts: `2026-01-01T00:00:0${second}Z`, status: second === 3 ? 500 : 200 }));
  const columns = histogram(entries, 3);
  assert.deepEqual(columns.map(({ all, failed }) => [all, failed]), [[1, 0], [1, 0], [2, 1]]);
  assert.deepEqual(histogram(entries.slice(0, 1), 3), []);
});
