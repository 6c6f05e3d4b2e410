import assert from "node:assert/strict";
import { test } from "node:test";
import { BOX, layered, settled } from "../../../ui/static/js/graph/layout.js";
import { edgeKey, neighbourhood, readGraph } from "../../../ui/static/js/graph/model.js";

/** @param {string[]} names @param {[string, string][]} calls */
function graph(names, calls) {
  return readGraph(
    {
      nodes: names.map((service) => ({ service, spans: 100, errors: 0, p50: 1, p95: 2 })),
      edges: calls.map(([parent, child]) => ({ parent, child, calls: 50, errors: 0, p95: 3 })),
    },
    10,
  );
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

test("rates, microseconds and health are derived", () => {
  const { nodes, edges } = readGraph({ nodes: [{ service: "a", spans: 10, errors: 1, p50: 1.5, p95: 2 }], edges: [{ parent: "a", child: "a", calls: 10_000, errors: 20, p95: 4 }, { parent: "a", child: "unknown", calls: 1, errors: 0, p95: 1 }] }, 5);
  assert.deepEqual([nodes[0].p50, nodes[0].health], [1500, "failure"]);
  assert.deepEqual(edges.map(({ rate, health }) => [rate, health]), [[2000, "degraded"]]);
});

test("callers stand left of what they call", () => {
  const { boxes } = layered(graph(["a", "b", "c"], [["a", "b"], ["b", "c"]]), "LR");
  assert.ok(boxes.get("a").x < boxes.get("b").x && boxes.get("b").x < boxes.get("c").x);
  assertApart(boxes);
});

test("circles and loops are laid out", () => {
  const { routes, boxes } = layered(graph(["a", "b"], [["a", "b"], ["b", "a"], ["a", "a"]]), "LR");
  assert.equal(routes.size, 3);
  assert.ok(routes.get(edgeKey("a", "a")).points[1].y < boxes.get("a").y - BOX.height / 2);
});

test("a refresh moves nothing, a new service finds a free place", () => {
  for (const direction of /** @type {const} */ (["LR", "TB"])) {
    const before = layered(graph(["a", "b", "c"], [["a", "b"], ["a", "c"]]), direction);
    const after = settled(before, graph(["a", "b", "c", "d", "e"], [["a", "b"], ["a", "c"], ["a", "d"]]));
    for (const name of ["a", "b", "c"]) assert.deepEqual(after.boxes.get(name), before.boxes.get(name));
    assert.equal(after.routes.size, 3);
    assertApart(after.boxes);
  }
});

test("a service that is gone leaves", () => {
  const after = settled(layered(graph(["a", "b"], [["a", "b"]]), "LR"), graph(["a"], []));
  assert.deepEqual([[...after.boxes.keys()], after.routes.size], [["a"], 0]);
});

test("names that look like object properties are names", () => {
  const { boxes } = layered(graph(["__proto__", "constructor", ""], [["__proto__", "constructor"]]), "LR");
  assert.ok([...boxes.values()].every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)));
});

test("the neighbourhood is callers and called", () => {
  const near = neighbourhood(graph(["a", "b", "c", "d"], [["a", "b"], ["b", "c"], ["c", "d"]]), "b");
  assert.deepEqual([[...near.names].sort(), near.keys.size], [["a", "b", "c"], 2]);
});

test("300 services lie apart", () => {
  const names = Array.from({ length: 300 }, (_, i) => `service-${i}`);
  const { boxes } = layered(graph(names, names.slice(1).map((name, i) => [names[Math.floor(i / 3)], name])), "LR");
  assertApart(boxes);
});
