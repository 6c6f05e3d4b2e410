/** A box for a query: grows with its text, completes names, marks where an error is. */

import { Latest } from "./api.js";
import { h } from "./dom.js";

const PAUSE_MS = 120; // typing quicker than this asks only once
const MOST = 12;

/** @typedef {{text: string, kind: string, insert: string}} Completion */
/**
 * @typedef {{
 *   typed: (before: string) => string | null,
 *   candidates: (before: string, signal: AbortSignal, text: string) => Promise<Completion[]>,
 *   located: (message: string) => {line: number, column: number, text: string},
 *   runs: (event: KeyboardEvent) => boolean,
 * }} Language what is typed before the caret (null: nothing is suggested), what can stand there; where an error is
 *   (column 0: no place is named); which Enter runs the query
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
 * @param {HTMLTextAreaElement} input @param {HTMLElement} list @param {HTMLElement} problem @param {Language} language
 * @param {() => void} run called with the keys that the language says
 */
export function queryBox(input, list, problem, language, run) {
  const latest = new Latest();
  let timer = 0;
  let chosen = -1;

  input.addEventListener("input", () => {
    grow();
    mark(null);
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
      event.stopPropagation();
      close();
    } else if (event.key === "Enter" && language.runs(event)) {
      event.preventDefault();
      close();
      run();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      suggest();
    }
  });

  function grow() {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight + 2}px`;
  }

  async function suggest() {
    const before = input.value.slice(0, input.selectionStart ?? 0);
    const typed = language.typed(before);
    if (typed === null) return close();
    // Suggestions are a help, not the purpose: without an answer the box is a plain one.
    const found = await latest.run((signal) => language.candidates(before, signal, input.value)).catch(() => undefined);
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
    const typed = language.typed(input.value.slice(0, caret))?.length ?? 0;
    input.setRangeText(text, caret - typed, caret, "end");
    grow();
    close();
  }

  function close() {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  /** Says what is wrong, below the place where it is. @param {string | null} message */
  function mark(message) {
    problem.hidden = message === null;
    input.setAttribute("aria-invalid", String(message !== null));
    if (message === null) return;
    const { line, column, text } = language.located(message);
    const source = input.value.split("\n")[line - 1];
    problem.replaceChildren(
      ...(source !== undefined && column ? [h("code", { class: "problem-place", "aria-hidden": "true" }, `${source}\n${" ".repeat(Math.max(column - 1, 0))}^`)] : []),
      h("span", {}, text),
    );
  }

  return {
    /** @param {string} text */
    set(text) {
      input.value = text;
      grow();
    },
    mark,
  };
}

/** @param {string} text @param {string} typed */
function emphasised(text, typed) {
  const at = typed ? text.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  if (at < 0) return [h("span", {}, text)];
  return [h("span", {}, text.slice(0, at), h("b", {}, text.slice(at, at + typed.length)), text.slice(at + typed.length))];
}
