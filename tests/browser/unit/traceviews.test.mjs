import assert from "node:assert/strict";
import { test } from "node:test";
import { icicle } from "../../../ui/static/js/trace/icicle.js";
import { buildTrace } from "../../../ui/static/js/trace/model.js";
import { mergePaths } from "../../../ui/static/js/trace/paths.js";
import { groupings, sortGroups, statistics } from "../../../ui/static/js/trace/statistics.js";
import { judge } from "../../../ui/static/js/trace/judge.js";

/** @param {string} id @param {string} name @param {number} start @param {number} end @param {string} [parent] @param {any[]} [tags] */
function span(id, name, start, end, parent, tags = []) {
  const references = parent ? [{ refType: "CHILD_OF", traceID: "t", spanID: parent }] : [];
  return { traceID: "t", spanID: id, operationName: name, references, startTime: start, duration: end - start, tags, logs: [], processID: "p" };
}

const trace = buildTrace({
  traceID: "t",
  processes: { p: { serviceName: "shop", tags: [{ key: "zone", value: "a" }] } },
  spans: [
    span("1", "root", 0, 100),
    span("2", "db", 10, 30, "1", [{ key: "table", value: "carts" }]),
    span("3", "db", 40, 80, "1", [{ key: "table", value: "users" }, { key: "error", value: true }]),
    span("4", "read", 45, 55, "3"),
  ],
});

test("spans of one path are one node, with the times of all", () => {
  const [root] = mergePaths(trace);
  assert.deepEqual([root.count, root.total, root.self, root.weight], [1, 100, 40, 100]);
  const [db] = root.children;
  assert.deepEqual([db.count, db.total, db.self, db.weight, db.errors, db.first], [2, 60, 50, 60, 1, "2"]);
  assert.equal(db.children[0].name, "read");
});

test("boxes lie within their parent and beside each other", () => {
  const boxes = icicle(mergePaths(trace), 0);
  assert.deepEqual(boxes.map(({ node, left, width, level, parent }) => [node.name, left, Number(width.toFixed(6)), level, parent]), [["root", 0, 1, 0, -1], ["db", 0, 0.6, 1, 0], ["read", 0, 0.1, 2, 1]]);
  assert.deepEqual(icicle(mergePaths(trace), 0.5).map(({ node }) => node.name), ["root", "db"]);
});

test("a trace without any duration has boxes all the same", () => {
  const still = buildTrace({ traceID: "t", processes: {}, spans: [span("1", "a", 0, 0), span("2", "b", 0, 0)] });
  assert.deepEqual(icicle(mergePaths(still), 0.01).map(({ width }) => width), [0.5, 0.5]);
});

test("statistics by operation, then by a tag", () => {
  const groups = sortGroups(statistics(trace, "operation", "table", (one) => (one.name === "db" ? { p50: 20, p95: 30 } : undefined)), "total", false);
  assert.deepEqual(groups.map(({ name, count, total, average, least, most, self, errors, slow }) => [name, count, total, average, least, most, self, errors, slow]), [
    ["root", 1, 100, 100, 100, 100, 40, 0, 0],
    ["db", 2, 60, 30, 20, 40, 50, 1, 1],
    ["read", 1, 10, 10, 10, 10, 10, 0, 0],
  ]);
  assert.deepEqual(groups[1].groups.map(({ name, total }) => [name, total]), [["users", 40], ["carts", 20]]);
  assert.deepEqual(groups[0].groups.map(({ name }) => name), [null]);
  assert.deepEqual(groupings(trace), ["service", "operation", "error", "table", "zone"]);
});

test("slower than usual is beyond the 95th percentile", () => {
  const usual = { p50: 10, p95: 20 };
  assert.deepEqual([judge(20, usual), judge(21, usual), judge(41, usual), judge(999, undefined)], ["", "slower", "slow", ""]);
});
