/** Shares of versions: a slider and a number for each, which always make a hundred together. */

import { h, middle } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { rebalanced } from "./model.js";

/**
 * @param {string} place in the form's values @param {Record<string, number>} given @param {() => void} changed
 * @returns {import("./fields.js").Field<Record<string, number>>}
 */
export function weights(place, given, changed) {
  let shares = { ...given };
  const versions = Object.keys(given);
  const rows = versions.map((version) => row(version));
  const presets = h(
    "div",
    { class: "wizard-presets" },
    versions.length > 1 && h("button", { class: "button quiet", type: "button", on: { click: even } }, t("Even")),
    ...versions.map((version) => h("button", { class: "button quiet", type: "button", on: { click: () => set(rebalanced(shares, version, 100)) } }, t("All to {version}", { version }))),
  );
  show();

  /** @param {string} version */
  function row(version) {
    const listen = (/** @type {Event} */ event) => set(rebalanced(shares, version, Number(/** @type {HTMLInputElement} */ (event.target).value)));
    const label = t("Share of {version}", { version });
    const slider = h("input", { type: "range", min: 0, max: 100, "aria-label": label, on: { input: listen } });
    const exact = h("input", { type: "number", min: 0, max: 100, "aria-label": t("{label}, percent", { label }), "data-field": `${place}.${version}`, on: { change: listen } });
    return { version, slider, exact, element: h("div", { class: "wizard-weight" }, middle(version), slider, h("span", { class: "wizard-percent" }, exact, "%")) };
  }

  function even() {
    const each = Math.floor(100 / versions.length);
    set(Object.fromEntries(versions.map((version, place) => [version, each + Number(place < 100 - each * versions.length)])));
  }

  /** @param {Record<string, number>} next */
  function set(next) {
    shares = next;
    show();
    changed();
  }

  function show() {
    for (const { version, slider, exact } of rows) {
      slider.value = String(shares[version]);
      exact.value = String(shares[version]);
    }
  }

  return { element: h("div", { class: "wizard-weights" }, ...rows.map(({ element }) => element), presets), value: () => shares };
}
