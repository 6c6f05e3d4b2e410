import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, spaces } from "../../../ui/static/js/overview/model.js";
import { runs } from "../../../ui/static/js/lib/health.js";

/** @param {string} name @param {string} namespace @param {string} status */
function node(name, namespace, status) {
  return { id: `${namespace}/${name}`, kind: "app", name, version: null, namespace, workload: name, badges: {}, health: { status, reasons: [] } };
}

test("the worst first, namespaces in order, what has none last", () => {
  const graph = { nodes: [node("a", "shop", "Healthy"), node("b", "shop", "Failure"), node("c", "", "NA"), node("d", "bank", "Degraded"), { ...node("e", "", "NA"), kind: "unknown" }], edges: [] };
  const health = { objects: [{ namespace: "shop", name: "a", history: ["NA", "Healthy"] }], namespaces: [] };
  const all = spaces(graph, health);
  assert.deepEqual(all.map(({ namespace, health: worst, rows }) => [namespace, worst, rows.map(({ name }) => name)]), [["bank", "degraded", ["d"]], ["shop", "failure", ["b", "a"]], ["", "idle", ["c"]]]);
  assert.deepEqual(all[1].rows[1].history, ["idle", "healthy"]);
  assert.deepEqual(counts(all), { failure: 1, degraded: 1, healthy: 1, idle: 1 });
});

test("a history is runs of one state", () => {
  assert.deepEqual(runs(["idle", "healthy", "healthy"]), [{ health: "idle", from: 0, length: 1 }, { health: "healthy", from: 1, length: 2 }]);
  assert.deepEqual(runs([]), []);
});
