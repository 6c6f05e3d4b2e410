/** The filters: shows a query, reads one back, says what is wrong with it. */

import { get, Latest } from "../lib/api.js";
import { h, one } from "../lib/dom.js";
import { parseDuration } from "../lib/format.js";
import { parseTags } from "../lib/tags.js";
import { t } from "../lib/texts.js";
import { timeControl } from "../lib/timecontrol.js";
import { completeTags } from "./completion.js";
import { readLimit } from "./query.js";

/** @typedef {import("./query.js").Query} Query */

/**
 * @param {HTMLFormElement} form
 * @param {() => void} submit called when the user asks for results
 */
export function filterForm(form, submit) {
  const field = (/** @type {string} */ name) => /** @type {any} */ (form.elements.namedItem(name));
  const operations = new Latest();
  const time = timeControl(
    { select: field("lookback"), absolute: one("[data-absolute]", form), start: field("start"), end: field("end") },
    submit,
  );
  completeTags(field("tags"), one("#f-tags-list", form), () => field("service").value);
  field("service").addEventListener("change", () => {
    field("operation").value = "";
    listOperations("");
    submit();
  });
  field("operation").addEventListener("change", submit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  /** @param {Query} query */
  function show(query) {
    choose(field("service"), query.service);
    choose(field("operation"), query.operation);
    for (const name of /** @type {const} */ (["tags", "minDuration", "maxDuration"])) field(name).value = query[name];
    field("limit").value = query.limit;
    time.show(query.range);
    valid();
    listOperations(query.operation);
  }

  /** @param {string} sort @returns {Query | null} null when an input has to be mended first */
  function read(sort) {
    const range = valid() ? time.read() : null;
    help("range", time.read() ? null : t("The end has to be after the start"));
    if (range === null) return null;
    return {
      service: field("service").value,
      operation: field("operation").value,
      tags: field("tags").value.trim(),
      minDuration: field("minDuration").value.trim(),
      maxDuration: field("maxDuration").value.trim(),
      range,
      limit: readLimit(field("limit").value),
      sort,
    };
  }

  function valid() {
    const { error } = parseTags(field("tags").value);
    mark("tags", error === null);
    help("tags", error, t("All on one span, as key=value"));
    const bounds = ["minDuration", "maxDuration"].map((name) => {
      const text = field(name).value.trim();
      mark(name, text === "" || parseDuration(text) !== null);
      return text === "" ? undefined : parseDuration(text);
    });
    let problem = bounds.includes(null) ? t("Write a number and a unit: 1.2s, 100ms, 500us") : null;
    if (bounds[0] && bounds[1] && bounds[0] > bounds[1]) problem = t("The longest has to be above the shortest");
    help("duration", problem);
    return error === null && problem === null;
  }

  /** @param {string} name @param {boolean} good */
  function mark(name, good) {
    if (good) field(name).removeAttribute("aria-invalid");
    else field(name).setAttribute("aria-invalid", "true");
  }

  /** @param {string} name @param {string | null} problem @param {string} [advice] */
  function help(name, problem, advice = "") {
    const place = one(`[data-help=${name}]`, form);
    place.textContent = problem ?? advice;
    place.classList.toggle("failure", problem !== null);
    place.hidden = !place.textContent;
  }

  /** @param {string} chosen */
  async function listOperations(chosen) {
    const service = field("service").value;
    field("operation").disabled = service === "" && chosen === "";
    if (service === "") return fillSelect(field("operation"), [], chosen);
    // Without the list the rest of the form still works; the search itself reports what is wrong.
    const answer = await operations
      .run((signal) => get("/api/v3/operations", { service }, signal))
      .catch(() => ({ operations: [] }));
    if (answer !== undefined) fillSelect(field("operation"), unique(answer.operations.map((/** @type {any} */ o) => o.name)), chosen);
  }

  /** @param {string[]} services */
  function listServices(services) {
    fillSelect(field("service"), services, field("service").value);
  }

  return { show, read, listServices };
}

/** @param {string[]} names */
function unique(names) {
  return [...new Set(names)].sort((a, b) => a.localeCompare(b));
}

/** Replaces all options but the first, which stands for "all". @param {HTMLSelectElement} select @param {string[]} names @param {string} chosen */
function fillSelect(select, names, chosen) {
  const all = /** @type {HTMLOptionElement} */ (select.options[0]);
  select.replaceChildren(all, ...names.filter(Boolean).map((value) => h("option", { value, title: value }, value)));
  choose(select, chosen);
}

/** Picks an option; one that the list does not have (yet) is added. @param {HTMLSelectElement} select @param {string} value */
function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(h("option", { value, title: value }, value));
  select.value = value;
}
