import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = /** @type {any} */ ({ documentElement: { dataset: { base: "/b" }, lang: "en" } });
const { knownOf, leads } = await import("../../../ui/static/js/lib/lookup.js");

const known = knownOf(["cart", "beef"], [{ kind: "VirtualService", namespace: "shop", metadata: { name: "cart" } }], [{ workload: "cart-v1", namespace: "shop" }]);

test("everything known leads to its page", () => {
  assert.deepEqual([...known.keys()], ["cart", "beef", "Workload shop/cart-v1", "VirtualService shop/cart"]);
  assert.equal(leads("cart", known), "/b/search?service=cart");
  assert.equal(leads("Workload shop/cart-v1", known), "/b/workloads/shop/cart-v1");
  assert.equal(leads("VirtualService shop/cart", known), "/b/configuration?object=VirtualService+shop%2Fcart");
});

test("a trace by its ID, unless a service is named so", () => {
  assert.equal(leads("ABC123", known), "/b/trace/abc123");
  assert.equal(leads("beef", known), "/b/search?service=beef");
});

test("PromQL by its brackets; anything else leads nowhere", () => {
  assert.equal(leads("rate(a[5m])", known), "/b/metrics?q=rate%28a%5B5m%5D%29");
  assert.equal(leads("no such thing", known), null);
});
