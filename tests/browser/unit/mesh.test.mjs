import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, daysLeft, inOrder, intake, lags, left, readMetrics, total, typesOf, worst } from "../../../ui/static/js/mesh/model.js";

const proxy = (instance, states) => ({ instance, workload: instance, namespace: "a", types: Object.fromEntries(Object.entries(states).map(([type, state]) => [type, { state }])) });

test("proxies that need a look come first", () => {
  const all = [proxy("ok", { cds: "SYNCED", rds: "NOT SENT" }), proxy("late", { cds: "STALE" }), proxy("bad", { lds: "NACK", cds: "STALE" })];
  assert.deepEqual(inOrder(all).map(({ instance }) => instance), ["bad", "late", "ok"]);
  assert.deepEqual(all.map(worst), ["healthy", "degraded", "failure"]);
  assert.deepEqual(typesOf([...all, proxy("new", { ecds: "SYNCED" })]), ["lds", "rds", "cds", "ecds"]);
});

const answer = (accepted) => ({
  data: [
    {
      name: "vigla_collector_accepted_total",
      metric: [{ label: [{ name: "signal", value: "traces" }, { name: "transport", value: "grpc" }], counter: { value: accepted } }],
    },
    {
      name: "vigla_collector_refused_total",
      metric: [{ label: [{ name: "signal", value: "logs" }, { name: "transport", value: "http" }, { name: "reason", value: "too_large" }], counter: { value: 3 } }],
    },
    { name: "vigla_bus_lag_records", metric: [{ label: [{ name: "topic", value: "traces" }], gauge: { value: 7 } }] },
    { name: "vigla_bus_backlog_bytes", metric: [{ label: [{ name: "topic", value: "traces" }], gauge: { value: 2048 } }] },
    { name: "vigla_ingester_flush_seconds", metric: [{ histogram: { sampleCount: "4", sampleSum: 2 } }] },
  ],
});

test("what was taken in, and how fast between two looks", () => {
  const [first, second] = [readMetrics(answer(100)), readMetrics(answer(150))];
  const [logs, traces] = intake(second, { samples: first, at: 1000 }, 6000);
  assert.deepEqual(traces, { signal: "traces", transport: "grpc", total: 150, rate: 10, rejected: 0, refused: [] });
  assert.deepEqual(logs.refused, [{ reason: "too_large", total: 3 }]);
  assert.equal(intake(first, null, 0)[1].rate, null);
  assert.equal(intake(first, { samples: second, at: 0 }, 1000)[1].rate, 0); // it was started anew
});

test("what waits", () => {
  const samples = readMetrics(answer(1));
  assert.deepEqual(lags(samples), [{ topic: "traces", records: 7, bytes: 2048 }]);
  assert.equal(total(samples, "vigla_ingester_flush_seconds_sum") / total(samples, "vigla_ingester_flush_seconds_count"), 0.5);
});

test("times and sizes", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(left("2026-01-01T23:30:00Z", now), "23 h");
  assert.equal(left("2026-01-11T00:00:00Z", now), "10 d");
  assert.equal(left("2025-12-31T00:00:00Z", now), "");
  assert.equal(daysLeft("2026-02-01T00:00:00Z", now), 31);
  assert.deepEqual([0, 1023, 1024, 1536, 5 * 2 ** 30].map(bytes), ["0 B", "1023 B", "1 KiB", "1.5 KiB", "5 GiB"]);
});
