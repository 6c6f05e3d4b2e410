/** Suggestions below a text field: asked for while typing, chosen with the keys or the pointer. */

import { Latest } from "./api.js";
import { h } from "./dom.js";

const PAUSE_MS = 120; // typing quicker than this asks only once
const MOST = 12;

/** @typedef {{text: string, kind: string, insert: string}} Completion */
/**
 * @typedef {{
 *   typed: (before: string) => string | null,
 *   candidates: (before: string, signal: AbortSignal, text: string) => Promise<Completion[]>,
 * }} Vocabulary what is typed before the caret (null: nothing is suggested), what can stand there
 */

/** Best first: what begins with the typed text, then what has it inside. @param {Completion[]} all @param {string} typed */
export function best(all, typed) {
  const low = typed.toLowerCase();
  const rank = (/** @type {Completion} */ each) => {
    const at = each.text.toLowerCase().indexOf(low);
    return at < 0 ? Infinity : at > 0 ? 1 : 0;
  };
  return all
    .filter((each) => rank(each) < Infinity && each.text !== typed)
    .sort((a, b) => rank(a) - rank(b) || a.text.length - b.text.length || (a.text < b.text ? -1 : 1))
    .slice(0, MOST);
}

/**
 * Keys that choose are taken before listeners that are added later see them: those look at `defaultPrevented`.
 * @param {HTMLTextAreaElement} input @param {HTMLElement} list @param {Vocabulary} vocabulary
 * @param {{taken?: () => void, shown?: () => void}} [heard] after a suggestion was taken, or the list was shown
 */
export function completing(input, list, vocabulary, { taken = () => {}, shown = () => {} } = {}) {
  const latest = new Latest();
  let timer = 0;
  let chosen = -1;

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, PAUSE_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (!list.hidden && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const size = list.children.length;
      choose((chosen + (event.key === "ArrowDown" ? 1 : size - 1) + (chosen < 0 && event.key === "ArrowUp" ? 1 : 0)) % size);
    } else if (!list.hidden && (event.key === "Tab" || (event.key === "Enter" && chosen >= 0))) {
      event.preventDefault();
      take(/** @type {HTMLElement} */ (list.children[Math.max(chosen, 0)]).dataset.text ?? "");
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      suggest();
    }
  });

  async function suggest() {
    const before = input.value.slice(0, input.selectionStart ?? 0);
    const typed = vocabulary.typed(before);
    if (typed === null) return close();
    // Suggestions are a help, not the purpose: without an answer the field is a plain one.
    const found = await latest.run((signal) => vocabulary.candidates(before, signal, input.value)).catch(() => undefined);
    if (found === undefined || document.activeElement !== input) return close();
    show(best(found, typed), typed);
  }

  /** @param {Completion[]} found @param {string} typed */
  function show(found, typed) {
    chosen = -1;
    list.replaceChildren(
      ...found.map((each, i) =>
        h(
          "li",
          {
            role: "option", id: `query-option-${i}`, "aria-selected": "false", data: { text: each.insert },
            // pointerdown, because blur closes the list before a click comes
            on: { pointerdown: (/** @type {Event} */ event) => { event.preventDefault(); take(each.insert); } },
          },
          ...emphasised(each.text, typed),
          each.kind && h("small", {}, each.kind),
        ),
      ),
    );
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (!list.hidden) shown();
  }

  /** @param {number} index */
  function choose(index) {
    chosen = index;
    for (const [i, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(i === index));
    input.setAttribute("aria-activedescendant", `query-option-${index}`);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  /** @param {string} text */
  function take(text) {
    const caret = input.selectionStart ?? input.value.length;
    const typed = vocabulary.typed(input.value.slice(0, caret))?.length ?? 0;
    input.setRangeText(text, caret - typed, caret, "end");
    close();
    taken();
  }

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  return { close };
}

/** @param {string} text @param {string} typed */
function emphasised(text, typed) {
  const at = typed ? text.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  if (at < 0) return [h("span", {}, text)];
  return [h("span", {}, text.slice(0, at), h("b", {}, text.slice(at, at + typed.length)), text.slice(at + typed.length))];
}
