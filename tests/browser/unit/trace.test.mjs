import assert from "node:assert/strict";
import { test } from "node:test";
import { criticalPath } from "../../../ui/static/js/trace/criticalpath.js";
import { findSpans } from "../../../ui/static/js/trace/find.js";
import { buildTrace } from "../../../ui/static/js/trace/model.js";
import { selfSections, selfTime } from "../../../ui/static/js/trace/selftime.js";
import { visibleRows } from "../../../ui/static/js/trace/visible.js";

/** @param {string} id @param {number} start @param {number} end @param {string} [parent] @param {any} [more] */
function span(id, start, end, parent, more = {}) {
  const references = parent ? [{ refType: more.refType ?? "CHILD_OF", traceID: "t", spanID: parent }] : [];
  return { traceID: "t", spanID: id, operationName: id, references, startTime: 1000 + start, duration: end - start, tags: more.tags ?? [], logs: [], processID: more.process ?? "p1" };
}

/** @param {any[]} spans */
function build(...spans) {
  return buildTrace({ traceID: "t", spans, processes: { p1: { serviceName: "one", tags: [] }, p2: { serviceName: "two", tags: [] } }, warnings: null });
}

/** @param {any} trace */
function path(trace) {
  const sections = [...criticalPath(trace)].flatMap(([index, parts]) => parts.map((/** @type {any} */ part) => [trace.spans[index].id, part.start, part.end]));
  return sections.sort((a, b) => a[1] - b[1]).map((part) => part.join(" "));
}

test("a tree is walked depth first, children by start", () => {
  const trace = build(span("c", 50, 60, "a"), span("a", 0, 100), span("d", 21, 25, "b"), span("b", 20, 40, "a"));
  assert.deepEqual(trace.order.map((i) => trace.spans[i].id), ["a", "b", "d", "c"]);
  assert.deepEqual(trace.order.map((i) => trace.spans[i].depth), [0, 1, 2, 1]);
  assert.equal(trace.duration, 100);
});

test("spans without their parent are roots, with a warning", () => {
  const trace = build(span("a", 0, 10), span("b", 5, 6, "gone"));
  assert.equal(trace.roots.length, 2);
  assert.match(trace.warnings[0], /1 span names a parent/);
});

test("circles of parents are cut, no span is lost", () => {
  const trace = build(span("a", 0, 10, "c"), span("b", 1, 9, "a"), span("c", 2, 8, "b"), span("self", 3, 4, "self"));
  assert.equal(trace.order.length, 4);
  assert.deepEqual(trace.roots.map((i) => trace.spans[i].id), ["a", "self"]);
  assert.match(trace.warnings.join(), /circle/);
});

test("spans that share an id each have an address of their own", () => {
  const trace = build(span("a", 0, 10), span("b", 1, 4, "a"), span("b", 5, 8, "a"));
  assert.deepEqual(trace.spans.map(({ key }) => key), ["a", "b", "b~2"]);
});

test("errors are counted, and known above", () => {
  const trace = build(span("a", 0, 10), span("b", 1, 4, "a", { tags: [{ key: "error", value: true }] }), span("c", 1, 2, "b", { tags: [{ key: "otel.status_code", value: "ERROR" }] }));
  assert.equal(trace.errors, 2);
  assert.deepEqual(trace.spans.map(({ errorsBelow }) => errorsBelow), [2, 1, 0]);
});

test("10,000 spans deep is no deeper than two", () => {
  const trace = build(...Array.from({ length: 10_000 }, (_, i) => span(`s${i}`, i, 20_000 - i, i ? `s${i - 1}` : undefined)));
  assert.equal(trace.order.length, 10_000);
  assert.equal(criticalPath(trace).size, 10_000);
});

test("an empty trace has no path", () => assert.equal(criticalPath(build()).size, 0));

test("a lone span is its own critical path", () => assert.deepEqual(path(build(span("a", 0, 10))), ["a 0 10"]));

test("the path goes through the child that finished last, then what was waited for before it", () => {
  const trace = build(span("a", 0, 100), span("b", 10, 40, "a"), span("c", 20, 60, "a"), span("d", 70, 90, "a"));
  assert.deepEqual(path(trace), ["a 0 20", "c 20 60", "a 60 70", "d 70 90", "a 90 100"]);
});

test("a child that outlives its parent counts until the parent's end, its children too", () => {
  const trace = build(span("a", 0, 50), span("b", 10, 80, "a"), span("c", 20, 70, "b"));
  assert.deepEqual(path(trace), ["a 0 10", "b 10 20", "c 20 50"]);
});

test("nobody waits for what only follows", () => {
  const trace = build(span("a", 0, 50), span("b", 10, 40, "a", { refType: "FOLLOWS_FROM" }));
  assert.deepEqual(path(trace), ["a 0 50"]);
});

test("self time is what no child covers", () => {
  const trace = build(span("a", 0, 100), span("b", 10, 40, "a"), span("c", 30, 50, "a"), span("d", 90, 150, "a"));
  assert.deepEqual(selfSections(trace.spans, 0), [{ start: 0, end: 10 }, { start: 50, end: 90 }]);
  assert.equal(selfTime(trace.spans, 0), 50);
  assert.equal(selfTime(build(span("a", 5, 5)).spans, 0), 0);
});

test("collapsing hides what is below, services filter", () => {
  const trace = build(span("a", 0, 100), span("b", 10, 40, "a", { process: "p2" }), span("c", 12, 14, "b"), span("d", 50, 60, "a"));
  const shown = (/** @type {string[]} */ collapsed, /** @type {string[]} */ services) => visibleRows(trace, new Set(collapsed), new Set(services)).map((i) => trace.spans[i].id).join("");
  assert.deepEqual([shown([], []), shown(["b"], []), shown(["a"], []), shown([], ["two"])], ["abcd", "abd", "a", "b"]);
});

test("find looks into names and attributes, every word counts", () => {
  const trace = build(span("alpha", 0, 10), span("beta", 1, 2, "alpha", { tags: [{ key: "http.status", value: 500 }] }));
  assert.deepEqual(findSpans(trace, "STATUS=500 beta"), [1]);
  assert.deepEqual(findSpans(trace, "status alpha"), []);
  assert.deepEqual(findSpans(trace, "  "), []);
});
