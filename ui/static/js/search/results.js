/** The list of found traces. */

import { href } from "../lib/address.js";
import { serviceClass } from "../lib/colours.js";
import { h, middle } from "../lib/dom.js";
import { count, duration, exactDuration, utc, when } from "../lib/format.js";
import { t } from "../lib/texts.js";

/** @typedef {import("./summaries.js").Summary} Summary */

const MOST_CHIPS = 8;

/**
 * @param {HTMLElement} place
 * @param {(id: string | null) => void} light called with the trace that the pointer or focus is on
 * @param {(ids: string[]) => void} picks called with the traces marked for comparison, at most two
 */
export function resultList(place, light, picks) {
  /** @type {string[]} */
  let picked = [];

  /** @param {Summary[]} traces */
  function draw(traces) {
    const longest = Math.max(1, ...traces.map((trace) => trace.duration));
    place.replaceChildren(...traces.map((trace) => item(trace, longest)));
    picked = picked.filter((id) => traces.some((trace) => trace.id === id));
    for (const input of place.querySelectorAll(".pick input")) input.checked = picked.includes(input.value);
    picks(picked);
  }

  /** @param {Summary} trace @param {number} longest */
  function item(trace, longest) {
    const on = { pointerenter: () => light(trace.id), pointerleave: () => light(null), focusin: () => light(trace.id), focusout: () => light(null) };
    return h(
      "li",
      { data: { id: trace.id }, on },
      h("label", { class: "pick" }, h("input", { type: "checkbox", value: trace.id, "aria-label": t("Compare {service} {id}", { service: trace.service || t("trace"), id: trace.id.slice(0, 7) }), on: { change: (/** @type {any} */ event) => pick(trace.id, event.target) } })),
      h(
        "a",
        { class: trace.errors ? "trace-item failed" : "trace-item", href: href(`/trace/${encodeURIComponent(trace.id)}`) },
        h(
          "span",
          { class: "trace-name" },
          middle(trace.service || t("Root span not received"), trace.service ? "service" : "service muted"),
          trace.operation ? middle(trace.operation, "operation") : h("span", { class: "operation muted" }, trace.id.slice(0, 7)),
        ),
        h("span", { class: "number errors" }, trace.errors ? count(trace.errors, "error") : ""),
        h("span", { class: "number spans" }, count(trace.spans, "span")),
        h(
          "span",
          { class: "took", title: exactDuration(trace.duration) },
          duration(trace.duration),
          h("span", { class: "took-bar" }, h("i", { style: { width: `${Math.max(1, (trace.duration / longest) * 100)}%` } })),
        ),
        h("time", { class: "time", datetime: utc(trace.start), title: utc(trace.start) }, when(trace.start, Date.now())),
        h("span", { class: "trace-sub" }, ...chips(trace)),
      ),
    );
  }

  /** Two at most: a third takes the place of the first. @param {string} id @param {HTMLInputElement} box */
  function pick(id, box) {
    picked = box.checked ? [...picked, id].slice(-2) : picked.filter((other) => other !== id);
    for (const input of place.querySelectorAll(".pick input")) input.checked = picked.includes(input.value);
    picks(picked);
  }

  /** @param {string | null} id */
  function highlight(id) {
    for (const row of place.querySelectorAll("li.lit")) row.classList.remove("lit");
    if (id !== null) place.querySelector(`li[data-id="${CSS.escape(id)}"]`)?.classList.add("lit");
  }

  return { draw, highlight };
}

/** @param {Summary} trace */
function chips(trace) {
  const shown = trace.services.slice(0, MOST_CHIPS).map(({ name, spans, errors }) =>
    h(
      "span",
      { class: `chip ${serviceClass(name)}`, title: `${name}: ${count(spans, "span")}${errors ? `, ${count(errors, "error")}` : ""}` },
      middle(name),
      h("span", { class: "chip-count" }, String(spans)),
    ),
  );
  const rest = trace.services.length - shown.length;
  return rest > 0 ? [...shown, h("span", { class: "muted" }, t("+{n} more", { n: rest }))] : shown;
}
