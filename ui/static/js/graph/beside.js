/** A list beside the graph: what changed since earlier, or what depends on a node. The address holds which. */

import { change, params } from "../lib/address.js";
import { get, Latest } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { showError } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { DISTANCES, distanceWords, showChanges, showDependents, touched } from "./changes.js";

/** @typedef {import("./canvas.js").Selection} Selection */

/**
 * @param {{place: HTMLElement, choice: HTMLSelectElement, notice: HTMLElement}} parts choice: how long before
 * @param {{asked: () => Record<string, string>, select: (selection: Selection) => void, noted: (ids: Set<string> | null) => void}} actions
 *   asked: parameters of the graph that is shown; noted: called with the nodes that the list is about
 */
export function besideGraph({ place, choice, notice }, { asked, select, noted }) {
  const loads = new Latest();
  choice.append(...DISTANCES.map((seconds) => h("option", { value: seconds }, distanceWords(seconds))));
  choice.addEventListener("change", () => go({ compare: choice.value || null, dependents: null }));

  /** @param {Record<string, string | null>} changes */
  function go(changes) {
    change(changes, "push");
    load();
  }

  async function load() {
    const query = params();
    const node = query.get("dependents");
    choice.value = DISTANCES.some((seconds) => String(seconds) === query.get("compare")) ? (query.get("compare") ?? "") : "";
    const seconds = Number(choice.value);
    if (!node && !seconds) {
      place.hidden = true;
      return noted(null);
    }
    const close = () => go({ compare: null, dependents: null });
    const now = asked();
    try {
      const answer = await loads.run((signal) => (node ? get("/api/vigla/v1/graph/dependents", { ...now, node }, signal) : get("/api/vigla/v1/graph/compare", { ...now, before: Number(now.time) - seconds }, signal)));
      if (answer === undefined) return;
      if (node) showDependents(place, answer, select, close);
      else showChanges(place, answer, seconds, select, close);
      noted(node ? new Set([...answer.nodes, ...answer.dependents].map(({ id }) => id)) : touched(answer));
    } catch (error) {
      showError(notice, t("The comparison could not be loaded."), error, load);
    }
  }

  return { load, /** @param {string} id of a node */ depend: (id) => go({ dependents: id, compare: null, node: null }) };
}
