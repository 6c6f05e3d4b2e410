/** Inputs that forms are made of. Each has its element and tells its value; `changed` is called when a user changes it. */

import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";

/** @typedef {import("./model.js").Condition} Condition */
/** @template T @typedef {{element: HTMLElement, value: () => T}} Field */

/**
 * @param {string} place in the form's values, for what is wrong there @param {string} label
 * @param {string | number | null} value @param {() => void} changed @param {Record<string, any>} [props] of the input
 * @returns {Field<string>}
 */
export function text(place, label, value, changed, props = {}) {
  const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", "data-field": place, ...props, on: { input: changed } });
  input.value = value ?? "";
  return { element: h("label", { class: "field" }, label, input), value: () => input.value.trim() };
}

/** A number, or null where nothing is written. @param {string} place @param {string} label @param {number | null} value @param {() => void} changed @param {Record<string, any>} [props] @returns {Field<number | null>} */
export function number(place, label, value, changed, props = {}) {
  const field = text(place, label, value, changed, { type: "number", min: 0, step: "any", ...props });
  return { element: field.element, value: () => (field.value() === "" ? null : Number(field.value())) };
}

/** @param {string} place @param {string} label @param {[string, string][]} options value and words @param {string} value @param {() => void} changed @returns {Field<string>} */
export function choice(place, label, options, value, changed) {
  const select = h("select", { "data-field": place, "aria-label": label, on: { change: changed } }, ...options.map(([key, words]) => h("option", { value: key }, words)));
  select.value = value;
  return { element: h("label", { class: "field" }, label, select), value: () => select.value };
}

/**
 * Fields that count only while a box is checked.
 * @param {string} label @param {boolean} on @param {HTMLElement[]} inside @param {() => void} changed @returns {Field<boolean>}
 */
export function optional(label, on, inside, changed) {
  const box = h("input", { type: "checkbox" });
  box.checked = on;
  const fields = h("div", { class: "wizard-fields" }, ...inside);
  fields.hidden = !on;
  box.addEventListener("change", () => {
    fields.hidden = !box.checked;
    changed();
  });
  return { element: h("fieldset", { class: "wizard-optional" }, h("legend", {}, h("label", { class: "check" }, box, label)), fields), value: () => box.checked };
}

/** @param {string} place @param {Condition | null} given @param {() => void} changed @returns {Field<Condition>} */
export function condition(place, given, changed) {
  const start = given ?? { part: "header", name: "", how: "exact", value: "" };
  const parts = [["header", t("Header")], ["query", t("Query parameter")], ["uri", t("Path")], ["method", t("Method")], ["authority", t("Host")], ["scheme", t("Scheme")]];
  const part = choice(`${place}.part`, t("Part of the request"), /** @type {[string, string][]} */ (parts), start.part, () => (show(), changed()));
  const name = text(`${place}.name`, t("Name"), start.name, changed, { placeholder: "end-user" });
  const how = choice(`${place}.how`, t("Comparison"), [["exact", t("is")], ["prefix", t("starts with")], ["regex", t("matches (RE2)")]], start.how, changed);
  const value = text(`${place}.value`, t("Value"), start.value, changed);
  const named = () => ["header", "query"].includes(part.value());
  function show() {
    name.element.hidden = !named();
  }
  show();
  return {
    element: h("div", { class: "wizard-condition" }, part.element, name.element, how.element, value.element),
    value: () => ({ part: part.value(), name: named() ? name.value() : "", how: how.value(), value: value.value() }),
  };
}
