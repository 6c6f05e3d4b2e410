import assert from "node:assert/strict";
import { test } from "node:test";
import { linearTicks, logTicks, timeTicks } from "../../../ui/static/js/lib/scale.js";
import { formatTags, parseTags } from "../../../ui/static/js/lib/tags.js";
import { readRange, resolve } from "../../../ui/static/js/lib/timerange.js";
import { fromAddress, toAddress, toApi } from "../../../ui/static/js/search/query.js";
import { readSummaries, sorted } from "../../../ui/static/js/search/summaries.js";

const read = (/** @type {string} */ text) => ({ ...parseTags(text).tags });

test("tags are logfmt, with quotes and escapes", () => {
  assert.deepEqual(read('a=1 b="two words" c="say \\"hi\\"" d='), { a: "1", b: "two words", c: 'say "hi"', d: "" });
  assert.deepEqual(read('{"error":"true","n":5}'), { error: "true", n: "5" });
});

test("tags that cannot be read say so", () => {
  for (const text of ["novalue", 'a="open', "=x", '{"a":']) assert.notEqual(parseTags(text).error, null, text);
});

test("a tag named as a property of objects is a tag", () => {
  assert.deepEqual(Object.keys(parseTags("__proto__=1 constructor=2").tags), ["__proto__", "constructor"]);
});

test("tags survive writing and reading", () => {
  const tags = { "http.url": "http://a/b?c=d", text: 'a "b" \\ c', empty: "" };
  assert.deepEqual(read(formatTags(tags)), tags);
});

test("a search survives its address", () => {
  const query = fromAddress(new URLSearchParams({ service: "a b", operation: "GET /", tags: '{"error":"true"}', minDuration: "1ms", lookback: "6h", limit: "20", sort: "longest" }));
  const written = new URLSearchParams(Object.entries(toAddress(query)).filter(([, value]) => value));
  assert.deepEqual(fromAddress(written), query);
});

test("Jaeger's addresses are read", () => {
  const query = fromAddress(new URLSearchParams("service=a&operation=all&tag=error:true&tag=url:http://x&start=1000&end=2000&limit=99999"));
  assert.deepEqual([query.operation, query.tags, query.range, query.limit], ["", "error=true url=http://x", { lookback: "custom", start: 1000, end: 2000 }, 1500]);
});

test("ranges that make no sense fall back to the last hour", () => {
  for (const text of ["", "lookback=x", "lookback=0h", "start=2000&end=1000", "start=a&end=b"]) {
    assert.deepEqual(resolve(readRange(new URLSearchParams(text)), 7_200_000), { start: 3_600e6, end: 7_200e6 }, text);
  }
});

test("the API is asked for UTC instants", () => {
  const api = toApi(fromAddress(new URLSearchParams("start=1700000000000001&end=1700000000000002")), 0);
  assert.equal(api["query.startTimeMin"], "2023-11-14T22:13:20.000001Z");
  assert.equal(api["query.attributes"], "");
});

test("summaries keep microseconds beyond what a double holds", () => {
  const [summary] = readSummaries({ summaries: [{ traceId: "a", minStartTimeUnixNano: "1700000000000000001", maxEndTimeUnixNano: "1700000000000001501" }] });
  assert.deepEqual([summary.start, summary.duration, summary.spans, summary.services], [1_700_000_000_000_000, 1.5, 0, []]);
});

test("traces are sorted, ties by time", () => {
  const traces = /** @type {any[]} */ ([{ id: "a", start: 1, duration: 5, spans: 1 }, { id: "b", start: 2, duration: 9, spans: 1 }, { id: "c", start: 3, duration: 1, spans: 7 }]);
  const order = (/** @type {string} */ sort) => sorted(traces, sort).map(({ id }) => id).join("");
  assert.deepEqual(["newest", "longest", "shortest", "spans"].map(order), ["cba", "bac", "cab", "cba"]);
});

test("ticks are round and few", () => {
  assert.deepEqual(linearTicks(0, 598, 6), [0, 100, 200, 300, 400, 500]);
  assert.deepEqual(linearTicks(5, 5, 4), [5]);
  assert.deepEqual(logTicks(1, 1e6, 4), [1, 100, 1e4, 1e6]);
  assert.ok(timeTicks(0, 3_600e6, 6).length <= 7);
});
