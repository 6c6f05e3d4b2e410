import assert from "node:assert/strict";
import { test } from "node:test";
import { accepts, FilterError, parse } from "../../../ui/static/js/graph/filter.js";

const reviews = { id: "r", name: "reviews", version: "v2", namespace: "shop", workload: "reviews-v2", kind: "app", root: false, rate: 10, errors: 1, bytes: 0, p95: 600_000, share: 0.1, health: "failure" };
const traffic = { ...reviews, id: "t", name: "traffic (or so)", version: "", namespace: "", root: true, share: 0, p95: null, health: "healthy" };
const call = { key: "c", parent: "t", child: "r", from: "traffic", to: "reviews v2", protocol: "http", rate: 3, bytes: 0, errors: 0, p95: 1000, share: 0, mtls: 100, codes: [], flags: [], health: "healthy" };

/** @param {string} text @returns {string} which of the three it accepts */
function accepted(text) {
  const condition = parse(text);
  assert.ok(condition);
  return [reviews, traffic, call].map((of, i) => (accepts(condition, /** @type {any} */ (of)) ? "rtc"[i] : "")).join("");
}

for (const [text, expected] of /** @type {[string, string][]} */ ([
  ["rev", "r"],
  ["reviews v2", "r"],
  ["reviews v3", ""],
  ["REVIEWS", "r"],
  ["name = reviews", "r"],
  ["name != reviews", "t"],
  ["namespace = shop", "r"],
  ["rt > 500", "r"],
  ["rt <= 500ms", "c"],
  ["%error > 5", "r"],
  ["%error > 5%", "r"],
  ["rate >= 3 and rate < 5", "c"],
  ["mtls = 100", "c"],
  ["mtls", "c"],
  ["healthy", "tc"],
  ["not healthy", "r"],
  ["root or rt > 500", "rt"],
  ["not (root or http)", "r"],
  ["name contains view and (failure or degraded)", "r"],
  ["name !contains view", "t"],
  ["name startswith traf OR name endswith ews", "rt"],
  ['name = "traffic (or so)"', "t"],
  ["constructor", ""],
])) {
  test(`${text} finds ${expected || "nothing"}`, () => assert.equal(accepted(text), expected));
}

test("nothing is no condition", () => assert.equal(parse("   "), null));

for (const text of ["rt >", "rt > slow", "(a", "a)", "and a", "a and", "colour = red", "name > a", "= 5", "reviews and v2 )", "not", '"open']) {
  test(`${text} is wrong`, () => assert.throws(() => parse(text), FilterError));
}
