import assert from "node:assert/strict";
import { test } from "node:test";

import { around, configured, filtered, pageOf, pathOf, readPath, rows, sorted } from "../../../ui/static/js/objects/model.js";
import { groupings, matchers, queries } from "../../../ui/static/js/objects/queries.js";

const FINE = { status: "Healthy", reasons: [] };
const node = (id, more = {}) => ({ id, kind: "service", name: id, version: null, namespace: "shop", workload: null, badges: {}, health: FINE, ...more });
const edge = (source, target, more = {}) => ({ id: `${source}>${target}`, source, target, protocol: "http", rate: 2, errors: 0, error_ratio: 0, p50_ms: 1, p95_ms: 2, p99_ms: 3, mtls: 1, principals: [], codes: {}, flags: {}, health: FINE, ...more });

test("an address names a list, or one of it", () => {
  assert.deepEqual(readPath("/services"), { list: "services", place: null });
  assert.deepEqual(readPath("/workloads/a/b%2Fc"), { list: "workloads", place: { namespace: "a", name: "b/c" } });
  assert.deepEqual(readPath("/services/-/db"), { list: "services", place: { namespace: "", name: "db" } });
  assert.equal(readPath("/other"), null);
  for (const place of [{ namespace: "a", name: 'x/y "é' }, { namespace: "", name: "%2F" }]) assert.deepEqual(readPath(pathOf("services", place)).place, place);
});

test("rows are objects of the list, and those without traffic", () => {
  const answer = { nodes: [node("a"), node("b"), node("w", { kind: "workload" }), node("x", { kind: "unknown" }), node("pg", { kind: "database", namespace: null })], edges: [edge("a", "b", { mtls: 0.5 }), edge("w", "b")] };
  const found = rows("services", answer, [{ namespace: "shop", name: "b" }, { namespace: "shop", name: "quiet" }]);
  assert.deepEqual(found.map(({ namespace, name }) => `${namespace}/${name}`), ["/pg", "shop/a", "shop/b", "shop/quiet"]);
  const [, , b, quiet] = found;
  assert.deepEqual([b.rate, b.mtls, quiet.health, quiet.node], [4, 50, "idle", null]);
  assert.deepEqual(rows("workloads", answer, []).map(({ name }) => name), ["w"]);
});

test("rows are sorted and found", () => {
  const row = (name, more) => ({ namespace: "n", name, health: "healthy", share: 0, rate: 0, errors: 0, bytes: 0, p95: null, ...more });
  const all = [row("b", { rate: 1 }), row("a", { rate: 9, p95: 1 }), row("c", { health: "failure" })];
  const names = (sort) => sorted(all, sort).map(({ name }) => name).join("");
  assert.deepEqual(["health", "rate", "p95", "name", "nonsense"].map(names), ["cab", "abc", "abc", "abc", "cab"]);
  assert.deepEqual(filtered(all, " N/C ").map(({ name }) => name), ["c"]);
});

test("where objects have their page", () => {
  assert.equal(pageOf({ kind: "app", namespace: "a", name: "b" }), "/applications/a/b");
  assert.equal(pageOf({ kind: "database", namespace: "", name: "pg" }), "/services/-/pg");
  assert.equal(pageOf({ kind: "unknown", namespace: "", name: "x" }), null);
});

test("neighbours of one object", () => {
  const graph = { nodes: ["a", "b", "c", "d"].map((id) => ({ id })), edges: [{ parent: "a", child: "b" }, { parent: "b", child: "c" }, { parent: "c", child: "d" }] };
  assert.deepEqual(around(graph, "b").nodes.map(({ id }) => id), ["a", "b", "c"]);
  assert.equal(around(graph, null).edges.length, 0);
});

test("what is configured or connected", () => {
  assert.deepEqual(configured("services", { items: [{ namespace: "a", metadata: { name: "b" } }] }, null), [{ namespace: "a", name: "b" }]);
  assert.deepEqual(configured("workloads", null, { proxies: [{ namespace: "a", workload: "" }, { namespace: "a", workload: "w" }] }), [{ namespace: "a", name: "w" }]);
  assert.deepEqual(configured("applications", null, null), []);
});

test("matchers quote names, and fit the direction", () => {
  assert.equal(matchers("workloads", { namespace: "n", name: 'w"' }, "outbound"), 'reporter="source",source_workload="w\\"",source_workload_namespace="n"');
  assert.match(matchers("applications", { namespace: "n", name: "a" }, "inbound"), /^reporter="destination",destination_app="a"/);
  assert.match(matchers("services", { namespace: "n", name: "a" }, "inbound"), /^reporter="source",destination_service_name/);
  assert.equal(matchers("services", { namespace: "", name: "a" }, "inbound"), null);
  assert.ok(groupings("services", "inbound").includes("destination_version"));
  assert.equal(queries("services", { namespace: "", name: "pg" }, "inbound", "").length, 3);
  assert.match(queries("workloads", { namespace: "n", name: "w" }, "inbound", "response_code")[0].query, /^sum by \(response_code\)/);
});
