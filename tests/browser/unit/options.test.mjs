import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { dataset: {} } };
const kept = new Map();
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
const { viewOf, views } = await import("../../../ui/static/js/graph/options.js");

test("a view is what is not of one visit", () => {
  assert.equal(viewOf(new URLSearchParams("type=app&find=a+b&node=x&replay=5&start=1&end=2&layout=TB")), "type=app&find=a+b&layout=TB");
});

test("what another program wrote is no view", () => {
  kept.set("vigla.graph.views", "{");
  assert.deepEqual(views(), []);
  kept.set("vigla.graph.views", JSON.stringify([{ name: "a", query: "b" }, { name: 5 }, null]));
  assert.deepEqual(views(), [{ name: "a", query: "b" }]);
});
