import assert from "node:assert/strict";
import test from "node:test";

import { bound, darkness, readHeat } from "../../../ui/static/js/search/cells.js";

const answer = {
  start: 1000,
  end: 1095,
  step: 10,
  buckets_per_octave: 2,
  cells: { column: [0, 9], bucket: [4, 6], spans: [8, 2], errors: [0, 1] },
  usual: { ago: 86400, step: 50, parts: [{ part: 1, low: 0, high: 64, spans: 30 }] },
};

test("cells have bounds, and the last column ends with the range", () => {
  const { cells, most, spans } = readHeat(answer);
  assert.deepEqual(cells[0], { start: 1000, end: 1010, low: 4, high: 2 ** 2.5, spans: 8, errors: 0 });
  assert.equal(cells[1].end, 1095);
  assert.deepEqual([most, spans], [8, 10]);
});

test("the extent holds cells and what is usual", () => {
  const { extent, usual, ago } = readHeat(answer);
  assert.deepEqual(usual, [{ start: 1050, end: 1095, low: 1, high: 64 }]);
  assert.equal(ago, 86400);
  assert.ok(extent.low < 1 && extent.high > 64);
});

test("nothing known of earlier", () => {
  const { usual, ago } = readHeat({ ...answer, usual: null });
  assert.deepEqual([usual, ago], [[], 0]);
});

test("one span can be seen, and the most are full", () => {
  assert.equal(darkness(1, 1000), 0.15);
  assert.equal(darkness(1000, 1000), 1);
  assert.equal(darkness(1, 1), 1);
});

test("a filter holds at least what it is made of", () => {
  assert.equal(bound(724.08, "down"), "724us");
  assert.equal(bound(724.08, "up"), "725us");
  assert.equal(bound(2896.3, "down"), "2.89ms");
  assert.equal(bound(2896.3, "up"), "2.9ms");
  assert.equal(bound(1_482_910, "up"), "1.49s");
});
