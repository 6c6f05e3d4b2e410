/** The PromQL box: grows with its text, completes names, marks where an error is. */

import { get, Latest } from "../lib/api.js";
import { h } from "../lib/dom.js";

const PAUSE_MS = 120; // typing quicker than this asks only once
const MOST = 12;
const WORD = /[a-zA-Z_:][\w:.]*$/;

/** @typedef {{text: string, kind: string, insert: string}} Completion */
/** @typedef {{kind: "name" | "label" | "value", typed: string, label: string, metric: string}} Place */

/**
 * What can stand where the caret is.
 * @param {string} before text before the caret @returns {Place | null} null: nothing is suggested
 */
export function placeOf(before) {
  const open = unclosed(before);
  if (open !== null) {
    const inside = before.slice(open + 1);
    const metric = /([a-zA-Z_:][\w:]*)\s*$/.exec(before.slice(0, open))?.[1] ?? "";
    const value = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)$/.exec(inside);
    if (value) return { kind: "value", typed: value[2], label: value[1], metric };
    if (/"[^"]*$/.test(inside.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return null;
    return { kind: "label", typed: WORD.exec(inside)?.[0] ?? "", label: "", metric };
  }
  if (/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*$/.test(before)) {
    return { kind: "label", typed: WORD.exec(before)?.[0] ?? "", label: "", metric: "" };
  }
  if (/\[[^\]]*$/.test(before) || /"(?:[^"\\]|\\.)*$/.test(before.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return null;
  const typed = WORD.exec(before)?.[0] ?? "";
  return typed ? { kind: "name", typed, label: "", metric: "" } : null;
}

/** @param {string} text @returns {number | null} offset of the brace that is still open */
function unclosed(text) {
  let open = null;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\" && quoted) i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === "{") open = i;
    else if (!quoted && text[i] === "}") open = null;
  }
  return open;
}

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
 * @param {HTMLTextAreaElement} input @param {HTMLElement} list @param {HTMLElement} problem
 * @param {() => void} run called on Enter
 */
export function editor(input, list, problem, run) {
  const latest = new Latest();
  /** @type {Promise<Completion[]> | null} */
  let words = null;
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
    } else if (event.key === "Enter" && !event.shiftKey) {
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
    const place = placeOf(input.value.slice(0, input.selectionStart ?? 0));
    if (place === null) return close();
    // Suggestions are a help, not the purpose: without an answer the box is a plain one.
    const found = await latest.run((signal) => candidates(place, signal)).catch(() => undefined);
    if (found === undefined || document.activeElement !== input) return close();
    show(best(found, place.typed), place.typed);
  }

  /** @param {Place} place @param {AbortSignal} signal @returns {Promise<Completion[]>} */
  async function candidates(place, signal) {
    const match = place.metric ? { "match[]": `{__name__=${JSON.stringify(place.metric)}}` } : {};
    if (place.kind === "name") return (words ??= loadWords());
    const path = place.kind === "label" ? "/api/v1/labels" : `/api/v1/label/${encodeURIComponent(place.label)}/values`;
    const { data } = await get(path, { ...match, limit: 10000 }, signal);
    return /** @type {string[]} */ (data)
      .filter((text) => place.kind === "value" || /^[a-zA-Z_]\w*$/.test(text))
      .map((text) => ({ text, kind: "", insert: place.kind === "value" ? text.replace(/["\\]/g, "\\$&") : text }));
  }

  /** @returns {Promise<Completion[]>} */
  async function loadWords() {
    const [names, language, told] = await Promise.all([
      get("/api/v1/label/__name__/values", { limit: 40000 }),
      get("/api/vigla/v1/promql"),
      get("/api/v1/metadata", { limit: 40000, limit_per_metric: 1 }).catch(() => ({ data: {} })),
    ]);
    const kinds = (/** @type {string} */ name) => told.data[name]?.[0]?.type ?? told.data[name.replace(/_(bucket|count|sum|total)$/, "")]?.[0]?.type ?? "metric";
    return [
      ...names.data.map((/** @type {string} */ text) => ({ text, kind: kinds(text), insert: /^[a-zA-Z_:][\w:]*$/.test(text) ? text : `{${JSON.stringify(text)}}` })),
      ...language.functions.map((/** @type {string} */ text) => ({ text, kind: "function", insert: `${text}(` })),
      ...language.aggregations.map((/** @type {string} */ text) => ({ text, kind: "aggregation", insert: `${text} ` })),
    ];
  }

  /** @param {Completion[]} found @param {string} typed */
  function show(found, typed) {
    chosen = -1;
    list.replaceChildren(
      ...found.map((each, i) =>
        h(
          "li",
          {
            role: "option", id: `m-option-${i}`, "aria-selected": "false", data: { text: each.insert },
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
    input.setAttribute("aria-activedescendant", `m-option-${index}`);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  /** @param {string} text */
  function take(text) {
    const caret = input.selectionStart ?? input.value.length;
    const typed = placeOf(input.value.slice(0, caret))?.typed.length ?? 0;
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
    const { line, column, text } = located(message);
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

/**
 * Prometheus' messages begin with line and column.
 * @param {string} message @returns {{line: number, column: number, text: string}} column 0: no place is named
 */
export function located(message) {
  const found = /^(?:invalid parameter "query": )?(\d+):(\d+): (.*)$/s.exec(message);
  return found ? { line: Number(found[1]), column: Number(found[2]), text: found[3] } : { line: 1, column: 0, text: message };
}

/** @param {string} text @param {string} typed */
function emphasised(text, typed) {
  const at = typed ? text.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  if (at < 0) return [h("span", {}, text)];
  return [h("span", {}, text.slice(0, at), h("b", {}, text.slice(at, at + typed.length)), text.slice(at + typed.length))];
}
