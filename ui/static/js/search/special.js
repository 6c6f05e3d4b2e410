/** What is special about some of the found traces: values that they have more or less often than the rest. */

import { change, params } from "../lib/address.js";
import { Latest, post } from "../lib/api.js";
import { h, middle } from "../lib/dom.js";
import { count, percent } from "../lib/format.js";
import { showError } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { readArea, split } from "./selection.js";

/**
 * @typedef {import("./summaries.js").Summary} Summary
 * @typedef {{level: string, key: string, value: string, selected: number, others: number, p: number}} Difference
 */

/**
 * @param {HTMLElement} place
 * @param {{add: (difference: Difference) => void}} actions add: as a filter of the search
 */
export function special(place, actions) {
  const asked = new Latest();
  /** @type {Summary[]} */
  let traces = [];
  const dragged = h("option", { value: "area" }, t("those marked in the plot"));
  const choice = h("select", {}, h("option", { value: "" }, "…"), h("option", { value: "failed" }, t("the failing ones")), h("option", { value: "slow" }, t("the slowest 10 %")), dragged);
  const sum = h("p", { class: "special-sum", "aria-live": "polite" });
  const list = h("ul", { class: "special-list" });
  place.replaceChildren(h("div", { class: "special-bar" }, h("label", {}, t("What is special about "), choice)), sum, list);
  choice.addEventListener("change", () => choose(choice.value));

  /** @param {string} which empty for nothing */
  function choose(which) {
    change({ special: which }, "push");
    draw(traces);
  }

  /** @param {Summary[]} found */
  async function draw(found) {
    traces = found;
    place.hidden = traces.length < 2;
    const which = params().get("special") ?? "";
    const area = readArea(which);
    dragged.hidden = area === null;
    choice.value = area ? "area" : ["failed", "slow"].includes(which) ? which : "";
    sum.replaceChildren();
    if (!choice.value || place.hidden) {
      list.replaceChildren();
      await asked.run(async () => undefined); // what is under way is no longer wanted
      return;
    }
    const { selected, others } = split(traces, which);
    if (!selected.length || !others.length) {
      list.replaceChildren();
      sum.textContent = selected.length ? t("All traces found are selected: there is nothing to compare them with.") : t("No trace found is among them.");
      return;
    }
    try {
      const answer = await asked.run((signal) => post("/api/vigla/v1/traces/explain", { selected: starts(selected), others: starts(others) }, signal));
      if (answer === undefined) return;
      sum.textContent = t("{traces} against {others}: {differences}", { traces: count(selected.length, "trace"), others: count(others.length, "other"), differences: answer.differences.length ? count(answer.differences.length, "significant difference") : t("no significant difference") });
      list.replaceChildren(...answer.differences.map(item));
    } catch (error) {
      list.replaceChildren();
      showError(sum, t("The comparison failed."), error, () => draw(traces));
    }
  }

  /** @param {Difference} difference */
  function item(difference) {
    const { level, key, value, selected, others } = difference;
    const searchable = level !== "intrinsic" || key !== "status" || value === "error";
    const words = t("{tag}: {selected} of the selected, {others} of the others", { tag: `${key}=${value}`, selected: percent(selected), others: percent(others) });
    const props = searchable ? { class: "special-item", type: "button", "aria-label": t("{words}; add to the search", { words }), title: t("Add to the search"), on: { click: () => actions.add(difference) } } : { class: "special-item" };
    return h("li", {}, h(searchable ? "button" : "div", props, h("span", { class: "special-name" }, middle(key, "muted"), "=", middle(value)), h("span", { class: "special-pair" }, bar("selected", selected), bar("others", others))));
  }

  return { draw, choose };
}

/** @param {string} side @param {number} share */
function bar(side, share) {
  return h("span", { class: `special-row ${side}` }, h("span", { class: "special-track" }, h("i", { style: { width: `${share * 100}%` } })), h("span", {}, `${percent(share)} ${side}`));
}

/** @param {Summary[]} traces */
function starts(traces) {
  return Object.fromEntries(traces.map(({ id, start }) => [id, start]));
}
