/** A box for a query: grows with its text, completes names, marks where an error is. */

import { completing } from "./completion.js";
import { h } from "./dom.js";

/**
 * @typedef {import("./completion.js").Vocabulary & {
 *   located: (message: string) => {line: number, column: number, text: string},
 *   runs: (event: KeyboardEvent) => boolean,
 * }} Language where an error is (column 0: no place is named); which Enter runs the query
 */

/**
 * @param {HTMLTextAreaElement} input @param {HTMLElement} list @param {HTMLElement} problem @param {Language} language
 * @param {() => void} run called with the keys that the language says
 */
export function queryBox(input, list, problem, language, run) {
  const completions = completing(input, list, language, { taken: grow });
  input.addEventListener("input", () => {
    grow();
    mark(null);
  });
  input.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.key !== "Enter" || !language.runs(event)) return;
    event.preventDefault();
    completions.close();
    run();
  });

  function grow() {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight + 2}px`;
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
