import assert from "node:assert/strict";
import { test } from "node:test";
import { diffTraces } from "../../../ui/static/js/compare/diff.js";
import { readArea, split, writeArea } from "../../../ui/static/js/search/selection.js";
import { buildTrace } from "../../../ui/static/js/trace/model.js";

/** @param {...[string, string, number, string?]} spans id, name, duration, parent */
function trace(...spans) {
  const made = spans.map(([id, name, duration, parent], at) => ({
    traceID: "t", spanID: id, operationName: name, startTime: at, duration, processID: "p", tags: [], logs: [],
    references: parent ? [{ refType: "CHILD_OF", traceID: "t", spanID: parent }] : [],
  }));
  return buildTrace({ traceID: "t", spans: made, processes: { p: { serviceName: "shop", tags: [] } } });
}

test("paths of two traces are the same, more, fewer, added or removed", () => {
  const a = trace(["1", "root", 100], ["2", "db", 10, "1"], ["3", "old", 5, "1"], ["4", "once", 1, "1"], ["5", "once", 1, "1"]);
  const b = trace(["1", "root", 50], ["2", "db", 20, "1"], ["3", "db", 40, "1"], ["4", "once", 1, "1"], ["5", "new", 1, "1"]);
  assert.deepEqual(diffTraces(a, b).map(({ name, change, ratio, depth }) => [name, change, ratio, depth]), [
    ["root", "same", 0.5, 0],
    ["db", "more", 3, 1],
    ["old", "removed", null, 1],
    ["once", "fewer", 1, 1],
    ["new", "added", null, 1],
  ]);
});

const found = Array.from({ length: 20 }, (_, at) => ({ id: `${at}`, service: "", operation: "", start: at, duration: at * 10, spans: 1, errors: at % 10 === 0 ? 1 : 0, services: [] }));
const ids = (/** @type {string} */ which) => split(found, which).selected.map(({ id }) => id);

test("failing, slowest and marked traces against the rest", () => {
  assert.deepEqual(ids("failed"), ["0", "10"]);
  assert.deepEqual(ids("slow"), ["18", "19"]);
  assert.deepEqual(ids(writeArea({ start: 2.5, end: 5, low: 0, high: 45.5 })), ["2", "3", "4"]);
  assert.equal(split(found, "failed").others.length, 18);
  assert.equal(readArea("1-2-3"), null);
});
