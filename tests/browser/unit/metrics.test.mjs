import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { dataset: {} } };
const { best } = await import("../../../ui/static/js/lib/completion.js");
const { located, placeOf } = await import("../../../ui/static/js/metrics/language.js");
const { readExemplars, readInstant, readRange, selector, shortNames, stepOf } = await import("../../../ui/static/js/metrics/model.js");
const { counts, filtered, readGroups } = await import("../../../ui/static/js/alerts/model.js");

test("what can stand at the caret", () => {
  const at = (text) => {
    const found = placeOf(text);
    return found && [found.kind, found.typed, found.label, found.metric];
  };
  assert.deepEqual(at("sum(rat"), ["name", "rat", "", ""]);
  assert.deepEqual(at("up{"), ["label", "", "", "up"]);
  assert.deepEqual(at('up{job="a", ins'), ["label", "ins", "", "up"]);
  assert.deepEqual(at('rate(up{job=~"we'), ["value", "we", "job", "up"]);
  assert.deepEqual(at('up{job="a}", x="'), ["value", "", "x", "up"]);
  assert.deepEqual(at("sum by (jo"), ["label", "jo", "", ""]);
  assert.deepEqual(at("a * on(job) group_left(ver"), ["label", "ver", "", ""]);
  assert.equal(at("rate(up[5"), null);
  assert.equal(at(""), null);
  assert.equal(at("up "), null);
  assert.deepEqual(at('up{a="b"} + fo'), ["name", "fo", "", ""]);
});

test("the best completions come first", () => {
  const all = ["a_rate", "rate", "rate_long", "irate", "zzz"].map((text) => ({ text, kind: "", insert: text }));
  assert.deepEqual(best(all, "rat").map(({ text }) => text), ["rate", "rate_long", "irate", "a_rate"]);
  assert.deepEqual(best(all, "rate").map(({ text }) => text), ["rate_long", "irate", "a_rate"]);
});

test("the place of an error", () => {
  assert.deepEqual(located('invalid parameter "query": 2:5: parse error: x'), { line: 2, column: 5, text: "parse error: x" });
  assert.deepEqual(located("query processing failed"), { line: 1, column: 0, text: "query processing failed" });
});

test("series are named by what tells them apart", () => {
  assert.deepEqual(shortNames([{ __name__: "up", job: "a", x: "1" }, { __name__: "up", job: "b", x: "1" }]), ["a", "b"]);
  assert.deepEqual(shortNames([{ __name__: "up", job: "a" }]), ['up{job="a"}']);
  assert.deepEqual(shortNames([{ __name__: "a" }, { __name__: "b" }]), ["a", "b"]);
  assert.deepEqual(shortNames([{}]), ["{}"]);
  assert.equal(selector({ __name__: "m", "a.b": 'x"y' }), 'm{"a.b"="x\\"y"}');
});

test("answers become lines", () => {
  const histogram = { count: "3", sum: "9" };
  const [line, native] = readRange({ result: [{ metric: { a: "1" }, values: [[1, "NaN"], [2, "+Inf"]] }, { metric: { a: "2" }, histograms: [[1, histogram]] }] });
  assert.deepEqual(line.points.map(([at]) => at), [1e6, 2e6]);
  assert.equal(native.points[0][1], 3);
  assert.equal(readInstant({ resultType: "string", result: [1, "hello"] })[0].text, "hello");
  assert.equal(readInstant({ resultType: "scalar", result: [1, "4"] })[0].points[0][1], 4);
  assert.equal(readInstant({ resultType: "vector", result: [{ metric: {}, histogram: [1, histogram] }] })[0].text, "count 3, sum 9");
  const found = readExemplars([{ seriesLabels: { a: "b" }, exemplars: [{ labels: { traceID: "7" }, value: "1", timestamp: 2 }, { labels: {}, value: "5", timestamp: 3 }] }]);
  assert.deepEqual(found.map(({ trace, at, value }) => [trace, at, value]), [[null, 3e6, 5], ["7", 2e6, 1]]);
  assert.deepEqual([60, 3600, 86400, 90 * 86400].map((seconds) => stepOf(seconds * 1e6, 240)), [1, 15, 600, 43200]);
});

test("rules: what fires comes first, and the rest is found", () => {
  const alert = { labels: { alertname: "Down", job: "web" }, annotations: {}, state: "firing", activeAt: "2026-01-01T00:00:00Z", value: "1e+00" };
  const common = { query: "up == 0", labels: {}, health: "ok" };
  const groups = readGroups({
    groups: [
      { name: "quiet", file: "f", interval: 60, lastEvaluation: "0001-01-01T00:00:00Z", rules: [{ ...common, name: "r", type: "recording" }] },
      { name: "loud", file: "f", interval: 60, lastEvaluation: "2026-01-01T00:00:00Z", rules: [
        { ...common, name: "bad", type: "recording", health: "err", lastError: "oh" },
        { ...common, name: "fine", type: "alerting", state: "inactive", alerts: [] },
        { ...common, name: "Down", type: "alerting", state: "firing", alerts: [alert], duration: 60 },
      ] },
    ],
  });
  assert.deepEqual(groups.map(({ name }) => name), ["loud", "quiet"]);
  assert.deepEqual(groups[0].rules.map(({ name, state }) => [name, state]), [["Down", "firing"], ["bad", "failed"], ["fine", "inactive"]]);
  assert.deepEqual(counts(groups), { firing: 1, pending: 0, failed: 1, inactive: 1, recording: 1 });
  assert.deepEqual(filtered(groups, "", "WEB").flatMap(({ rules }) => rules.map(({ name }) => name)), ["Down"]);
  assert.deepEqual(filtered(groups, "recording", "").map(({ name }) => name), ["quiet"]);
  assert.deepEqual(filtered(groups, "pending", ""), []);
});
