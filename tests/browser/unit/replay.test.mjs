import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { dataset: {} } };
const { framesOf, nearest, windowOf, worstOf } = await import("../../../ui/static/js/graph/replay.js");

test("a range has at most sixty moments, the last at its end", () => {
  const { frames, step } = framesOf({ start: 1000, end: 1000 + 3600 });
  assert.deepEqual([step, frames.length, frames[59], frames[58]], [60, 60, 4600, 4540]);
  const short = framesOf({ start: 1000, end: 1100 });
  assert.deepEqual([short.step, short.frames], [15, [1025, 1040, 1055, 1070, 1085, 1100]]);
  assert.deepEqual(framesOf({ start: 5, end: 6 }).frames, [6]);
  assert.deepEqual([windowOf(15), windowOf(600)], [60, 600]);
});

test("the nearest moment", () => {
  assert.equal(nearest([10, 20, 30], 24), 1);
  assert.equal(nearest([10, 20, 30], 99), 2);
});

test("the worst of all namespaces", () => {
  const answer = { namespaces: [{ history: ["Healthy", "NA", "Degraded"] }, { history: ["Failure", "NA"] }] };
  assert.deepEqual(worstOf(answer), ["failure", "idle", "degraded"]);
  assert.deepEqual(worstOf({ namespaces: [] }), []);
});
