/** Revisions: what each changed, and the way back. */

import { change, params } from "../lib/address.js";
import { ask, get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count, when } from "../lib/format.js";
import { emptyState, showError, skeleton } from "../lib/states.js";
import { t } from "../lib/texts.js";
import { diffView } from "./findings.js";

/** @typedef {import("./model.js").Revision} Revision */

const API = "/api/vigla/v1/mesh";

/** @param {HTMLElement} notice @param {() => void} changed called after the configuration was */
export function historyView(notice, changed) {
  const list = h("ol", { class: "revisions" });
  const detail = h("div", { class: "revision" });
  const element = h("div", { class: "config-history" }, list, detail);
  /** @type {Revision[]} */
  let revisions = [];

  async function load() {
    list.replaceChildren(skeleton(4, "skeleton-rule"));
    try {
      revisions = (await get(`${API}/revisions`)).revisions;
      notice.replaceChildren();
    } catch (error) {
      list.replaceChildren();
      return showError(notice, t("The history could not be loaded."), error, load);
    }
    if (!revisions.length) return element.replaceChildren(emptyState(t("Nothing was changed yet"), h("p", {}, t("Each change of the configuration is kept here, with the way back."))));
    draw();
  }

  function draw() {
    const chosen = Number(params().get("revision")) || revisions[0].number;
    list.replaceChildren(...revisions.map((each) => row(each, each.number === chosen)));
    show(revisions.find(({ number }) => number === chosen) ?? revisions[0]);
  }

  /** @param {Revision} revision @param {boolean} chosen */
  function row({ number, time, author, message, changes }, chosen) {
    const choose = () => {
      change({ revision: String(number) }, "replace");
      draw();
    };
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "aria-current": chosen ? "true" : null, on: { click: choose } },
        h("strong", {}, `${number}  ${message}`),
        h("span", { class: "muted", title: time }, `${when(Date.parse(time) * 1000, Date.now())}, ${author}, ${count(changes.length, "change")}`),
      ),
    );
  }

  /** @param {Revision} revision */
  async function show(revision) {
    const text = await ask(`${API}/revisions/${revision.number}/diff`, {}, {}).catch((error) => void showError(notice, t("The revision could not be loaded."), error, draw));
    if (text === undefined) return;
    const newest = revision.number === revisions[0].number;
    detail.replaceChildren(
      h("div", { class: "revision-head" }, h("h2", {}, t("Revision {number}", { number: revision.number })), newest ? h("span", { class: "muted" }, t("is in force")) : rollback(revision)),
      diffView(text, t("What it changed")),
    );
  }

  /** Two clicks: the second says what it does. @param {Revision} revision */
  function rollback(revision) {
    const button = h("button", { class: "button", type: "button" }, t("Roll back to this"));
    let asked = false;
    button.addEventListener("click", async () => {
      if (!asked) {
        asked = true;
        button.textContent = t("Undo everything after revision {number}?", { number: revision.number });
        button.classList.add("danger");
        return;
      }
      try {
        await ask(`${API}/revisions/${revision.number}/rollback`, { author: "ui" }, { method: "POST" });
        change({ revision: null }, "replace");
        changed();
        load();
      } catch (error) {
        showError(notice, t("Nothing was rolled back."), error, draw);
      }
    });
    return button;
  }

  return { element, load };
}
