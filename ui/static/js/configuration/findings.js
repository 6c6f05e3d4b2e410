/** Findings as a list, and diffs. */

import { h, icon } from "../lib/dom.js";
import { t } from "../lib/texts.js";
import { lineOf } from "./model.js";

/** @typedef {import("./model.js").Finding} Finding */

const LEVELS = { error: "m4.5 4.5 7 7M11.5 4.5l-7 7", warning: "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6h.01", info: "M8 7.2v4M8 4.8h.01M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2" };
const WORDS = { error: "error", warning: "warning", info: "note" };

/**
 * @param {Finding[]} found @param {string} fine what to say of none
 * @param {((line: number) => void) | null} goTo called with a finding's line
 */
export function findingRows(found, fine, goTo) {
  return found.length ? found.map((each) => row(each, goTo)) : [h("li", { class: "fine" }, icon("m3.5 8.5 3 3 6-7"), fine)];
}

/** @param {Finding} finding @param {((line: number) => void) | null} goTo */
function row({ code, level, text, line }, goTo) {
  return h(
    "li",
    { class: level },
    icon(LEVELS[level]),
    h("span", {}, h("span", { class: "visually-hidden" }, `${WORDS[level]}: `), text, code && h("code", {}, code)),
    goTo && line > 0 && h("button", { class: "button quiet", type: "button", on: { click: () => goTo(line) } }, t("Line {line}", { line })),
  );
}

/** @param {string} text a unified diff @param {string} label */
export function diffView(text, label) {
  return h("pre", { class: "diff", tabindex: 0, "aria-label": label }, ...text.split("\n").map((line) => h("span", { class: lineOf(line) }, `${line}\n`)));
}
