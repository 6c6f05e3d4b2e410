import assert from "node:assert/strict";
import test from "node:test";

import { candidates, documentAt } from "../../../ui/static/js/configuration/language.js";
import { caretOf } from "../../../ui/static/js/configuration/yaml.js";

const where = (text) => {
  const caret = caretOf(text);
  return caret && [caret.path.map((name) => name ?? "[]").join("."), caret.key, caret.typed];
};

test("keys below mappings and lists", () => {
  assert.deepEqual(where(""), ["", null, ""]);
  assert.deepEqual(where("ki"), ["", null, "ki"]);
  assert.deepEqual(where("spec:\n  ho"), ["spec", null, "ho"]);
  assert.deepEqual(where("spec:\n  http:\n  - ro"), ["spec.http.[]", null, "ro"]);
  assert.deepEqual(where("spec:\n  http:\n    - name: a\n      ro"), ["spec.http.[]", null, "ro"]);
  assert.deepEqual(where("spec:\n  http:\n  - route:\n    - destination:\n        host: a\n      we"), ["spec.http.[].route.[]", null, "we"]);
  assert.deepEqual(where("spec:\n  http:\n  - route:\n    - destination:\n        host: a\n  ga"), ["spec", null, "ga"]);
});

test("values of keys and of list items", () => {
  assert.deepEqual(where("kind: Vi"), ["kind", "kind", "Vi"]);
  assert.deepEqual(where('spec:\n  hosts:\n  - re'), ["spec.hosts.[]", null, "re"]);
  assert.deepEqual(where('kind: "Vi'), ["kind", "kind", "Vi"]);
  assert.deepEqual(where("spec:\n  tls:\n    mode: "), ["spec.tls.mode", "mode", ""]);
});

test("an item of its own, and items in items", () => {
  assert.deepEqual(where("spec:\n  http:\n  - name: a\n  - na"), ["spec.http.[]", null, "na"]);
  assert.deepEqual(where("a:\n- - b"), ["a.[].[]", null, "b"]);
});

test("only the document of the caret counts", () => {
  assert.deepEqual(where("kind: A\nspec:\n  x: 1\n---\nme"), ["", null, "me"]);
  assert.equal(documentAt("kind: A\n---\nkind: B\n---\nkind: C", 15).trim(), "kind: B");
  assert.equal(documentAt("kind: A", 3), "kind: A");
});

test("nothing in comments, after values and in flow style", () => {
  assert.equal(where("# ki"), null);
  assert.equal(where("a: b c"), null);
  assert.equal(where("a b"), null);
});

test("keys that are there already are known", () => {
  assert.deepEqual([...caretOf("a: 1\nb:\n  c: 2\nd").siblings], ["a", "b"]);
  assert.deepEqual([...caretOf("x:\n- a: 1\n- b: 2\n  c").siblings], ["b"]);
});

const schemas = {
  kinds: {
    Rule: { apiVersion: "net/v1", inline: false, namespaced: true, schema: { $ref: "#/$defs/Rule" } },
    Text: { apiVersion: "v1", inline: true, namespaced: false, schema: { $ref: "#/$defs/Text" } },
  },
  $defs: {
    Rule: {
      type: "object",
      properties: {
        hosts: { type: "array", items: { type: "string" } },
        tls: { anyOf: [{ $ref: "#/$defs/Tls" }, { type: "null" }] },
        gateways: { type: "array", items: { type: "string" } },
        named: { type: "object", additionalProperties: { $ref: "#/$defs/Tls" } },
      },
    },
    Tls: { type: "object", properties: { mode: { enum: ["DISABLE", "STRICT"], type: "string" }, on: { type: "boolean" }, wait: { type: "string", format: "duration" } } },
    Text: { type: "object", properties: { data: { type: "object", additionalProperties: { type: "string" } } } },
  },
};
const items = [
  { key: "", kind: "Service", namespace: "shop", name: "reviews", file: "" },
  { key: "", kind: "Gateway", namespace: "edge", name: "front", file: "" },
];
const offered = (text) => candidates(schemas, items, text, caretOf(text)).map(({ text: name }) => name);

test("kinds, and the version that belongs to one", () => {
  assert.deepEqual(offered("kind: "), ["Rule", "Text"]);
  assert.deepEqual(offered("kind: Text\napiVersion: "), ["v1"]);
});

test("what the schema has, without what is there", () => {
  assert.deepEqual(offered("kind: Rule\n"), ["apiVersion", "metadata", "spec"]);
  assert.deepEqual(offered("kind: Text\n"), ["apiVersion", "metadata", "data"]);
  assert.deepEqual(offered("kind: Rule\nspec:\n  "), ["hosts", "tls", "gateways", "named"]);
  assert.deepEqual(offered("kind: Rule\nspec:\n  tls:\n    on: true\n    "), ["mode", "wait"]);
  assert.deepEqual(offered("kind: Rule\nspec:\n  named:\n    any:\n      "), ["mode", "on", "wait"]);
  assert.deepEqual(offered("kind: Unknown\nspec:\n  "), []);
});

test("values: enumerations, truth, names of what is configured", () => {
  assert.deepEqual(offered("kind: Rule\nspec:\n  tls:\n    mode: "), ["DISABLE", "STRICT"]);
  assert.deepEqual(offered("kind: Rule\nspec:\n  tls:\n    on: "), ["true", "false"]);
  assert.deepEqual(offered("kind: Rule\nspec:\n  hosts:\n  - "), ["reviews"]);
  assert.deepEqual(offered("kind: Rule\nspec:\n  gateways:\n  - "), ["mesh", "front"]);
  assert.deepEqual(offered("kind: Rule\nmetadata:\n  namespace: "), ["shop", "edge"]);
});

test("a key is followed by room for its value, one with more below it by nothing", () => {
  const of = (name, text) => candidates(schemas, items, text, caretOf(text)).find((each) => each.text === name);
  assert.deepEqual(of("tls", "kind: Rule\nspec:\n  "), { text: "tls", kind: "object", insert: "tls:" });
  assert.deepEqual(of("mode", "kind: Rule\nspec:\n  tls:\n    "), { text: "mode", kind: "DISABLE, STRICT", insert: "mode: " });
  assert.equal(of("wait", "kind: Rule\nspec:\n  tls:\n    ").kind, "duration");
});
