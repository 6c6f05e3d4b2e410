import assert from "node:assert/strict";
import test from "node:test";

import { t } from "../../../ui/static/js/lib/texts.js";

test("values stand for names in braces and are taken as they are", () => {
  assert.equal(t("Shift {percent} % to {name}", { percent: 20, name: "{percent} $&" }), "Shift 20 % to {percent} $&");
  assert.equal(t("{unknown} stays"), "{unknown} stays");
});
