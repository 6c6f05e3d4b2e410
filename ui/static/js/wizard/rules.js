/** Rules of request routing: added, moved, removed; those that a form cannot show stay as they are written. */

import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { condition } from "./fields.js";
import { weights } from "./weights.js";

/** @typedef {import("./model.js").Rule} Rule @typedef {import("./model.js").Condition} Condition */

/** @param {Rule[]} given @param {string[]} versions @param {() => void} changed @returns {import("./forms.js").Form} */
export function ruleList(given, versions, changed) {
  let rules = given;
  const list = h("ol", { class: "wizard-rules" });
  const add = h("button", { class: "button", type: "button", on: { click: addRule } }, t("Add a rule"));
  /** @type {(() => Rule)[]} */
  let readers = [];
  draw();

  function draw() {
    readers = [];
    list.replaceChildren(...rules.map((rule, place) => h("li", {}, head(rule, place), ...content(rule, place))));
  }

  /** @param {(rules: Rule[]) => Rule[]} edit */
  function update(edit) {
    rules = edit(readers.map((read) => read()));
    draw();
    changed();
  }

  function addRule() {
    const share = Object.fromEntries(versions.map((version, place) => [version, place === versions.length - 1 ? 100 : 0]));
    const fresh = { of: null, kept: false, conditions: [{ part: "header", name: "end-user", how: "exact", value: "jason" }], weights: share };
    update((now) => [fresh, ...now]);
  }

  /** @param {Rule} rule @param {number} place */
  function head(rule, place) {
    const button = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {boolean} */ possible, /** @type {(now: Rule[]) => Rule[]} */ edit) =>
      h("button", { class: "tool", type: "button", title: label, "aria-label": label, disabled: !possible, on: { click: () => update(edit) } }, sign);
    return h(
      "div",
      { class: "wizard-rule-head" },
      h("strong", {}, rule.kept ? t("Rule {number}, as it is written", { number: place + 1 }) : t("Rule {number}", { number: place + 1 })),
      button(t("Move up"), "↑", place > 0, (now) => moved(now, place, place - 1)),
      button(t("Move down"), "↓", place < rules.length - 1, (now) => moved(now, place, place + 1)),
      button(t("Remove"), "×", rules.length > 1, (now) => now.filter((_, each) => each !== place)),
    );
  }

  /** @param {Rule} rule @param {number} place @returns {HTMLElement[]} */
  function content(rule, place) {
    if (rule.kept) {
      readers.push(() => rule);
      return [h("p", { class: "muted" }, t("It does more than this form shows; it is kept."))];
    }
    const shown = rule.conditions.map((each, number) => condition(`rules.${place}.conditions.${number}`, each, changed));
    const shares = weights(`rules.${place}.weights`, rule.weights, changed);
    readers.push(() => ({ ...rule, conditions: shown.map((each) => each.value()), weights: shares.value() }));
    const without = (/** @type {number} */ number) => (/** @type {Rule[]} */ now) => edited(now, place, now[place].conditions.filter((_, each) => each !== number));
    return [
      ...shown.map((each, number) => {
        const label = t("Remove the condition");
        each.element.append(h("button", { class: "tool", type: "button", title: label, "aria-label": label, on: { click: () => update(without(number)) } }, "×"));
        return each.element;
      }),
      h(
        "p",
        { class: "muted" },
        shown.length ? "" : t("Every request that no rule above took. "),
        h("button", { class: "button quiet", type: "button", on: { click: () => update((now) => edited(now, place, [...now[place].conditions, { part: "header", name: "", how: "exact", value: "" }])) } }, t("Add a condition")),
      ),
      shares.element,
    ];
  }

  return { elements: [add, list], read: () => ({ rules: readers.map((read) => read()) }) };
}

/** @param {Rule[]} rules @param {number} from @param {number} to */
function moved(rules, from, to) {
  const made = [...rules];
  made.splice(to, 0, ...made.splice(from, 1));
  return made;
}

/** @param {Rule[]} rules @param {number} place @param {Condition[]} conditions */
function edited(rules, place, conditions) {
  return rules.map((rule, each) => (each === place ? { ...rule, conditions } : rule));
}
