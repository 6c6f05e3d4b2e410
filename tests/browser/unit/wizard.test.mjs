import assert from "node:assert/strict";
import test from "node:test";

import { asked, byVersion, KINDS, purpose, readServices, rebalanced, title } from "../../../ui/static/js/wizard/model.js";

test("shares always make a hundred, and the others keep their proportion", () => {
  assert.deepEqual(rebalanced({ v1: 40, v2: 20, v3: 40 }, "v2", 60), { v1: 20, v2: 60, v3: 20 });
  assert.deepEqual(rebalanced({ v1: 0, v2: 100 }, "v2", 30), { v1: 70, v2: 30 });
  assert.deepEqual(rebalanced({ v1: 100 }, "v1", 30), { v1: 100 });
  for (let share = -5; share <= 105; share += 1) {
    const made = rebalanced({ a: 33, b: 33, c: 34 }, "c", share);
    assert.equal(made.a + made.b + made.c, 100);
    assert.ok(Object.values(made).every((each) => each >= 0));
  }
});

test("a service is named by both its parts", () => {
  assert.deepEqual(asked(new URLSearchParams("namespace=a&service=b")), { namespace: "a", service: "b" });
  assert.equal(asked(new URLSearchParams("service=b")), null);
});

test("services come sorted", () => {
  const item = (namespace, name) => ({ namespace, metadata: { name } });
  assert.deepEqual(readServices({ items: [item("b", "a"), item("a", "z"), item("a", "b")] }), [
    { namespace: "a", service: "b" },
    { namespace: "a", service: "z" },
    { namespace: "b", service: "a" },
  ]);
});

test("calls by version", () => {
  const answer = { data: { result: [{ metric: { destination_version: "v1" }, value: [0, "1.5"] }, { metric: {}, value: [0, "NaN"] }] } };
  assert.deepEqual([...byVersion(answer)], [["v1", 1.5], ["", NaN]]);
});

test("every wizard has its words", () => {
  for (const kind of KINDS) {
    assert.ok(title(kind));
    assert.ok(purpose(kind).endsWith("."));
  }
});
