/** A text with line numbers and completion; findings mark their lines. */

import { completing } from "../lib/completion.js";
import { h } from "../lib/dom.js";
import { t } from "../lib/texts.js";

/** @typedef {import("./model.js").Finding} Finding */

const CHECK_AFTER_MS = 500;

/** @param {import("../lib/completion.js").Vocabulary} vocabulary @param {(text: string) => void} changed called when the user has stopped typing */
export function editor(vocabulary, changed) {
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const area = h("textarea", { class: "source", spellcheck: "false", autocomplete: "off", "aria-label": "YAML", wrap: "off", role: "combobox", "aria-expanded": "false", "aria-controls": "yaml-completions", "aria-autocomplete": "list" });
  const list = h("ul", { id: "yaml-completions", class: "completions", role: "listbox", "aria-label": t("Completions"), hidden: true });
  const element = h("div", { class: "editor completed" }, gutter, area, list);
  completing(area, list, vocabulary, { taken: () => area.dispatchEvent(new Event("input")), shown: () => beside(area, list) });
  /** @type {Map<number, string>} */
  let marks = new Map();
  let timer = 0;

  area.addEventListener("scroll", () => (gutter.scrollTop = area.scrollTop));
  area.addEventListener("input", () => {
    number();
    clearTimeout(timer);
    timer = setTimeout(() => changed(area.value), CHECK_AFTER_MS);
  });
  area.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    // Escape and Tab leave the field, as everywhere; only inside of an indentation Tab indents.
    const before = area.value.slice(0, area.selectionStart);
    if (event.defaultPrevented || event.key !== "Tab" || event.shiftKey || !/(^|\n) +$/.test(before)) return;
    event.preventDefault();
    area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input"));
  });

  function number() {
    const count = area.value.split("\n").length;
    gutter.replaceChildren(...Array.from({ length: count }, (_, i) => h("span", { class: marks.get(i + 1) }, i + 1)));
    gutter.scrollTop = area.scrollTop;
  }

  return {
    element,
    /** @returns {string} */
    text: () => area.value,
    /** @param {string} text */
    show(text) {
      clearTimeout(timer);
      area.value = text;
      marks = new Map();
      number();
      area.scrollTop = 0;
    },
    /** @param {Finding[]} findings the worst first */
    mark(findings) {
      marks = new Map([...findings].reverse().map(({ line, level }) => [line, level]));
      number();
    },
    /** @param {number} line from 1 on */
    goTo(line) {
      const lines = area.value.split("\n");
      const start = lines.slice(0, line - 1).join("\n").length + Number(line > 1);
      area.focus();
      area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
      area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 5));
    },
  };
}

/** Puts a list below the caret, or above it where there is no room. @param {HTMLTextAreaElement} area @param {HTMLElement} list */
function beside(area, list) {
  const style = getComputedStyle(area);
  const lines = area.value.slice(0, area.selectionStart).split("\n");
  const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  pen.font = style.font;
  const height = parseFloat(style.lineHeight);
  const left = area.offsetLeft + parseFloat(style.paddingLeft) + pen.measureText(lines[lines.length - 1]).width - area.scrollLeft;
  const top = area.offsetTop + parseFloat(style.paddingTop) + lines.length * height - area.scrollTop;
  const under = top + list.offsetHeight <= area.offsetTop + area.clientHeight;
  list.style.left = `${Math.max(0, Math.min(left, area.offsetLeft + area.clientWidth - list.offsetWidth))}px`;
  list.style.top = `${under ? top : Math.max(0, top - height - list.offsetHeight)}px`;
}
