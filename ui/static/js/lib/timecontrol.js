/** The select of relative ranges with its two inputs for an absolute one. */

import { h } from "./dom.js";
import { t } from "./texts.js";
import { LOOKBACKS, fromLocalInput, lookbackUs, resolve, toLocalInput } from "./timerange.js";

/** @typedef {import("./timerange.js").Range} Range */

/**
 * @param {{select: HTMLSelectElement, absolute: HTMLElement, start: HTMLInputElement, end: HTMLInputElement}} parts
 * @param {() => void} changed called after the user picked another range
 */
export function timeControl({ select, absolute, start, end }, changed) {
  select.append(...LOOKBACKS.map(([value, label]) => h("option", { value }, label)), h("option", { value: "custom" }, t("Absolute range")));
  /** @type {Range} */
  let shown = { lookback: LOOKBACKS[0][0], start: null, end: null };

  select.addEventListener("change", () => {
    if (select.value === "custom") {
      const now = resolve(shown, Date.now());
      show({ lookback: "custom", start: Math.round(now.start), end: Math.round(now.end) });
      start.focus();
    }
    changed();
  });
  start.addEventListener("change", changed);
  end.addEventListener("change", changed);

  /** @param {Range} range */
  function show(range) {
    shown = range;
    if (range.lookback !== "custom" && ![...select.options].some((o) => o.value === range.lookback)) {
      select.prepend(h("option", { value: range.lookback }, t("Last {time}", { time: range.lookback })));
    }
    select.value = range.lookback;
    absolute.hidden = range.lookback !== "custom";
    if (range.start !== null) start.value = toLocalInput(range.start);
    if (range.end !== null) end.value = toLocalInput(range.end);
  }

  /** @returns {Range | null} null when the inputs name no range */
  function read() {
    if (select.value !== "custom") return { lookback: lookbackUs(select.value) ? select.value : "1h", start: null, end: null };
    // The inputs show whole seconds: a range from the address or a drag is kept exact until it is edited.
    const from = shown.start !== null && start.value === toLocalInput(shown.start) ? shown.start : fromLocalInput(start.value);
    const to = shown.end !== null && end.value === toLocalInput(shown.end) ? shown.end : fromLocalInput(end.value);
    return from === null || to === null || from >= to ? null : { lookback: "custom", start: from, end: to };
  }

  return { show, read };
}
