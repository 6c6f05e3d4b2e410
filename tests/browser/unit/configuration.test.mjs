import assert from "node:assert/strict";
import { test } from "node:test";
import { byObject, grouped, lineOf, readFindings, readItems } from "../../../ui/static/js/configuration/model.js";

/** @param {string} kind @param {string} name @param {string} apiVersion */
function item(kind, name, apiVersion = "v1") {
  return { apiVersion, kind, metadata: { name }, namespace: "shop", origin: { file: "f", line: 1 } };
}

test("what routes comes before what runs", () => {
  const items = readItems({ items: [item("Deployment", "a", "apps/v1"), item("VirtualService", "b", "networking.istio.io/v1"), item("Gateway", "c", "networking.istio.io/v1")] });
  assert.deepEqual(items.map(({ key }) => key), ["Gateway shop/c", "VirtualService shop/b", "Deployment shop/a"]);
  assert.deepEqual([...grouped(items, "SHOP/b").keys()], ["VirtualService"]);
});

test("the worst finding comes first and marks its object", () => {
  const findings = readFindings({
    problems: [{ message: "doubtful", field: "spec", line: 9, subject: "Gateway shop/c", severity: "warning" }],
    messages: [{ code: "IST0101", level: "Error", text: "not found", line: 3, object: "Gateway shop/c" }, { code: "X", level: "Info", text: "t", line: 0, object: "" }],
  });
  assert.deepEqual(findings.map(({ level, text }) => [level, text]), [["error", "not found"], ["warning", "spec: doubtful"], ["info", "t"]]);
  assert.deepEqual(byObject(findings).get("Gateway shop/c"), { level: "error", count: 2 });
});

test("lines of a diff", () => {
  assert.deepEqual(["--- a", "+++ b", "@@ -1 +1 @@", "+x", "-y", " z", ""].map(lineOf), ["head", "head", "head", "added", "removed", "same", "same"]);
});
