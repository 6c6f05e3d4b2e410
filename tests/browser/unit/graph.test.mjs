import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, BOX, layered, settled } from "../../../ui/static/js/graph/layout.js";
import { laidOut } from "../../../ui/static/js/graph/groups.js";
import { among, neighbourhood, readGraph, title } from "../../../ui/static/js/graph/model.js";

const FINE = { status: "Healthy", reasons: [] };

/** @param {string} id @param {any} [more] */
function node(id, more = {}) {
  return { id, kind: "app", name: id, version: null, namespace: "shop", workload: id, badges: {}, health: FINE, ...more };
}

/** @param {string} source @param {string} target @param {any} [more] */
function edge(source, target, more = {}) {
  return { id: `${source} ${target} http`, source, target, protocol: "http", rate: 5, errors: 0, error_ratio: 0, p50_ms: 1, p95_ms: 3, p99_ms: 4, mtls: null, principals: [], codes: {}, flags: {}, health: FINE, ...more };
}

/** @param {string[]} names @param {[string, string][]} calls */
function graph(names, calls) {
  return readGraph({ nodes: names.map((name) => node(name)), edges: calls.map(([parent, child]) => edge(parent, child)) });
}

/** @param {Map<string, any>} boxes */
function assertApart(boxes) {
  const all = [...boxes.values()];
  for (const [i, a] of all.entries()) {
    for (const b of all.slice(i + 1)) {
      const apart = Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2;
      assert.ok(apart, `${JSON.stringify(a)} lies on ${JSON.stringify(b)}`);
    }
  }
}

test("shares, microseconds and health are derived", () => {
  const { nodes, edges } = readGraph({
    nodes: [node("a", { health: { status: "Failure", reasons: ["why"] }, version: "v2", badges: { hasVS: true, isRoot: true, hasMissingSC: true } }), node("b", { version: "latest", namespace: "unknown" })],
    edges: [edge("a", "b", { id: "1", rate: 200, protocol: "tcp", error_ratio: null }), edge("b", "a", { id: "2", rate: 50, errors: 5, error_ratio: 0.1, mtls: 1, flags: { UF: 1, UH: 4 } }), edge("a", "gone")],
  });
  assert.deepEqual([nodes[0].rate, nodes[0].p95, nodes[0].share, nodes[0].health, title(nodes[0])], [50, 3000, 0.1, "failure", "a v2"]);
  assert.deepEqual([nodes[0].badges, nodes[0].root, nodes[0].reasons], [["hasVS"], true, ["why"]]);
  assert.deepEqual([nodes[1].bytes, title(nodes[1]), nodes[1].namespace], [200, "b", ""]);
  assert.deepEqual(edges.map(({ bytes, rate, share, mtls, from }) => [bytes, rate, share, mtls, from]), [[200, 0, 0, null, "a v2"], [0, 50, 0.1, 100, "b"]]);
  assert.deepEqual(edges[1].flags, [["UH", 4], ["UF", 1]]);
});

test("callers stand left of what they call", () => {
  const { boxes } = layered(graph(["a", "b", "c"], [["a", "b"], ["b", "c"]]), "LR");
  assert.ok(boxes.get("a").x < boxes.get("b").x && boxes.get("b").x < boxes.get("c").x);
  assertApart(boxes);
});

test("circles and loops are laid out", () => {
  const { routes, boxes } = layered(graph(["a", "b"], [["a", "b"], ["b", "a"], ["a", "a"]]), "LR");
  assert.equal(routes.size, 3);
  assert.ok(routes.get("a a http").points[1].y < boxes.get("a").y - BOX.height / 2);
});

test("a refresh moves nothing, a new service finds a free place", () => {
  for (const direction of /** @type {const} */ (["LR", "TB"])) {
    const before = layered(graph(["a", "b", "c"], [["a", "b"], ["a", "c"]]), direction);
    const after = settled(before, graph(["a", "b", "c", "d", "e"], [["a", "b"], ["a", "c"], ["a", "d"]]), () => layered(graph(["a", "b", "c", "d", "e"], [["a", "b"], ["a", "c"], ["a", "d"]]), "LR"));
    for (const name of ["a", "b", "c"]) assert.deepEqual(after.boxes.get(name), before.boxes.get(name));
    assert.equal(after.routes.size, 3);
    assertApart(after.boxes);
  }
});

test("a service that is gone leaves", () => {
  const after = settled(layered(graph(["a", "b"], [["a", "b"]]), "LR"), graph(["a"], []), () => layered(graph(["a"], []), "LR"));
  assert.deepEqual([[...after.boxes.keys()], after.routes.size], [["a"], 0]);
});

test("names that look like object properties are names", () => {
  const { boxes } = layered(graph(["__proto__", "constructor", ""], [["__proto__", "constructor"]]), "LR");
  assert.ok([...boxes.values()].every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)));
});

test("the neighbourhood is callers and called", () => {
  const near = neighbourhood(graph(["a", "b", "c", "d"], [["a", "b"], ["b", "c"], ["c", "d"]]), "b");
  assert.deepEqual([[...near.ids].sort(), near.keys.size], [["a", "b", "c"], 2]);
});

test("300 services lie apart", () => {
  const names = Array.from({ length: 300 }, (_, i) => `service-${i}`);
  const { boxes } = layered(graph(names, names.slice(1).map((name, i) => [names[Math.floor(i / 3)], name])), "LR");
  assertApart(boxes);
});

test("two protocols between two nodes have two lines", () => {
  const { routes } = layered(readGraph({ nodes: [node("a"), node("b")], edges: [edge("a", "b"), edge("a", "b", { id: "a b tcp", protocol: "tcp" })] }), "LR");
  assert.notDeepEqual(routes.get("a b http"), routes.get("a b tcp"));
});

test("a circle keeps boxes apart, and calls bend towards its middle", () => {
  const ids = Array.from({ length: 12 }, (_, i) => `s${i}`);
  const many = graph(ids, ids.slice(1).map((id) => ["s0", id]));
  const { boxes, routes } = arranged(many, "circle");
  const all = [...boxes.values()];
  for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) assert.ok(Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= BOX.height);
  for (const { points } of routes.values()) assert.equal(points.length, 3);
});

test("graphs that dagre would take minutes for are laid out without overlaps", () => {
  const ids = Array.from({ length: 400 }, (_, i) => `s${i}`);
  const calls = ids.flatMap((id, i) => (i ? [[`s${Math.floor(i / 7)}`, id], [id, `s${(i * 31) % 400}`]] : [])).filter(([a, b]) => a !== b);
  const { boxes, routes } = layered(graph(ids, calls), "LR");
  assert.equal(boxes.size, 400);
  const all = [...boxes.values()];
  for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) assert.ok(Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= BOX.height);
  assert.ok(boxes.get("s0").x < boxes.get("s7").x);
  assert.ok([...routes.values()].every(({ points }) => points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))));
});

test("found nodes bring the calls between them", () => {
  const found = among(graph(["a", "b", "c"], [["a", "b"], ["b", "c"]]), new Set(["a", "b"]));
  assert.equal(found.keys.size, 1);
});

test("members of a namespace stand in its box, and boxes apart", () => {
  const nodes = ["a", "b", "c", "d", "x"].map((id, i) => node(id, { namespace: i < 2 ? "one" : i < 4 ? "two" : null }));
  const many = readGraph({ nodes, edges: [edge("a", "b"), edge("b", "c"), edge("c", "d"), edge("x", "a")] });
  const { boxes, groups, routes } = laidOut(many, "LR", "namespace");
  assert.deepEqual(groups.map(({ name }) => name).sort(), ["one", "two"]);
  const inside = (id, group) => Math.abs(boxes.get(id).x - group.x) <= group.width / 2 && Math.abs(boxes.get(id).y - group.y) <= group.height / 2;
  const [one, two] = groups;
  assert.ok(inside("a", one) && inside("b", one) && inside("c", two) && inside("d", two) && !inside("x", one) && !inside("x", two));
  assert.ok(Math.abs(one.x - two.x) >= (one.width + two.width) / 2 || Math.abs(one.y - two.y) >= (one.height + two.height) / 2);
  assert.equal(routes.size, 4);
  assert.equal(laidOut(many, "LR", null).groups, undefined);
});
