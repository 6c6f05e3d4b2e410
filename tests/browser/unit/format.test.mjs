import assert from "node:assert/strict";
import { test } from "node:test";
import { compact, duration, parseDuration, percent, utc, when } from "../../../ui/static/js/lib/format.js";

test("durations have three significant digits and a unit", () => {
  const shown = [0, 0.5, 999, 999.6, 1240, 38_000, 999_600, 1_240_000, 59_990_000, 90e6, 5400e6, 86_400e6].map(duration);
  assert.deepEqual(shown, ["0 µs", "0.5 µs", "999 µs", "1 ms", "1.24 ms", "38 ms", "1 s", "1.24 s", "1 min", "1.5 min", "1.5 h", "1 d"]);
});

test("large numbers are shortened", () => {
  assert.deepEqual([0, 0.0123, 999, 12_400, 999_960, 3_100_000].map(compact), ["0", "0.0123", "999", "12.4k", "1M", "3.1M"]);
});

test("shares are per cent, tiny ones do not become none", () => {
  assert.deepEqual([0, 0.0042, 0.00001, 1].map(percent), ["0 %", "0.42 %", "< 0.01 %", "100 %"]);
});

test("Go durations are read, others are not", () => {
  assert.deepEqual(["1.5s", "1h2m3s", "250ms", "10µs", "5ns"].map(parseDuration), [1.5e6, 3_723e6, 250e3, 10, 0.005]);
  assert.deepEqual(["", "5", "s", "1 s", "-1s", "1d"].map(parseDuration), [null, null, null, null, null, null]);
});

test("instants keep microseconds, before 1970 too", () => {
  assert.equal(utc(1_700_000_000_123_456), "2023-11-14T22:13:20.123456Z");
  assert.equal(utc(-1), "1969-12-31T23:59:59.999999Z");
});

test("times are relative within the last hour", () => {
  const now = 1_700_000_000_000;
  assert.deepEqual([0, 5, 65, 3599].map((s) => when((now - s * 1000) * 1000, now)), ["now", "5 s ago", "1 min ago", "59 min ago"]);
  assert.match(when((now - 3_600_000) * 1000, now), /^2023-11-1\d \d\d:\d\d:\d\d$/);
});
