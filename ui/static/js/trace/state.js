/** What the user did to a trace view, as the address holds it. */

import { change, params } from "../lib/address.js";

/**
 * @typedef {{selected: string, open: Set<string>, collapsed: Set<string>, services: Set<string>, find: string,
 *   zoom: {start: number, end: number} | null, critical: boolean}} ViewState
 *   spans by key, zoom in microseconds from the start of the trace
 */

const LONGEST_LIST = 150; // keys of collapsed spans; servers and proxies refuse addresses beyond some kilobytes

/** @returns {ViewState} */
export function readState() {
  const query = params();
  const zoom = /^(\d{1,15})-(\d{1,15})$/.exec(query.get("zoom") ?? "");
  return {
    selected: query.get("span") ?? "",
    open: list(query.get("open")),
    collapsed: list(query.get("collapsed")),
    services: new Set(query.getAll("only")),
    find: query.get("uiFind") ?? "",
    zoom: zoom && Number(zoom[1]) < Number(zoom[2]) ? { start: Number(zoom[1]), end: Number(zoom[2]) } : null,
    critical: query.get("critical") !== "off",
  };
}

/** @param {ViewState} state @param {"push" | "replace"} mode @param {number} collapsible spans that could be collapsed */
export function writeState(state, mode, collapsible) {
  const collapsed = state.collapsed.size === collapsible && collapsible > 1 ? "*" : [...state.collapsed].slice(0, LONGEST_LIST).join(",");
  change(
    {
      span: state.selected,
      open: [...state.open].slice(0, LONGEST_LIST).join(","),
      collapsed,
      uiFind: state.find,
      zoom: state.zoom && `${Math.floor(state.zoom.start)}-${Math.ceil(state.zoom.end)}`,
      critical: state.critical ? null : "off",
      only: [...state.services],
    },
    mode,
  );
}

/** @param {string | null} text */
function list(text) {
  return new Set((text ?? "").split(",").filter(Boolean));
}
