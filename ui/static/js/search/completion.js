/** Suggestions for the tags box: keys, and after `key=` the values that were seen. */

import { get, Latest } from "../lib/api.js";
import { h } from "../lib/dom.js";

const PAUSE_MS = 150; // typing quicker than this asks only once
const MOST = 12;

/**
 * @param {HTMLInputElement} input @param {HTMLElement} list
 * @param {() => string} service whose tags are suggested; "" for all
 */
export function completeTags(input, list, service) {
  const latest = new Latest();
  let timer = 0;
  let chosen = -1;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, PAUSE_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const size = list.children.length;
      mark((chosen + (event.key === "ArrowDown" ? 1 : size - 1) + (chosen < 0 && event.key === "ArrowUp" ? 1 : 0)) % size);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(/** @type {HTMLElement} */ (list.children[chosen]).dataset.text ?? "");
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  });

  async function suggest() {
    const word = /[^\s]*$/.exec(input.value.slice(0, input.selectionStart ?? 0))?.[0] ?? "";
    const equals = word.indexOf("=");
    const key = equals > 0 ? word.slice(0, equals) : "";
    const typed = (equals > 0 ? word.slice(equals + 1) : word).replace(/^"/, "").toLowerCase();
    // Suggestions are a help, not the purpose: without an answer the box is a plain input.
    const answer = await latest
      .run((signal) => get("/api/vigla/v1/attributes", { service: service(), key }, signal))
      .catch(() => undefined);
    if (answer === undefined || document.activeElement !== input) return close();
    const found = /** @type {string[]} */ ((key ? answer.values : answer.keys) ?? []).map(String).filter((text) => text.toLowerCase().includes(typed));
    show(found.slice(0, MOST), (text) => (key ? `${key}=${/^[^\s"\\]+$/.test(text) ? text : JSON.stringify(text)} ` : `${text}=`));
  }

  /** @param {string[]} texts @param {(text: string) => string} complete */
  function show(texts, complete) {
    chosen = -1;
    list.replaceChildren(
      ...texts.map((text, i) =>
        h("li", {
          role: "option", id: `f-tags-option-${i}`, "aria-selected": "false", data: { text: complete(text) },
          // pointerdown, because blur closes the list before a click comes
          on: { pointerdown: (/** @type {Event} */ event) => { event.preventDefault(); take(complete(text)); } },
        }, text),
      ),
    );
    list.hidden = texts.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
  }

  /** @param {number} index */
  function mark(index) {
    chosen = index;
    for (const [i, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(i === index));
    input.setAttribute("aria-activedescendant", `f-tags-option-${index}`);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  /** @param {string} text */
  function take(text) {
    const caret = input.selectionStart ?? input.value.length;
    const start = caret - (/[^\s]*$/.exec(input.value.slice(0, caret))?.[0].length ?? 0);
    input.setRangeText(text, start, caret, "end");
    close();
    if (text.endsWith("=")) suggest();
  }

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
}
