/** What can stand in an object of the mesh: keys and values by its kind's schema, names by what is configured. */

import { caretOf } from "./yaml.js";

/** @typedef {import("../lib/completion.js").Completion} Completion @typedef {import("./model.js").Item} Item */
/** @typedef {{kinds: Record<string, {apiVersion: string, inline: boolean, namespaced: boolean, schema: any}>, $defs: Record<string, any>}} Schemas */

const NAMED = /** @type {Record<string, string[]>} */ ({ host: ["Service"], hosts: ["Service"], gateways: ["Gateway"], namespace: ["Namespace"] });

/**
 * @param {() => Promise<Schemas>} load asked once there is something to complete
 * @param {() => Item[]} items what is configured
 * @returns {import("../lib/completion.js").Vocabulary}
 */
export function yamlLanguage(load, items) {
  return {
    typed: (before) => caretOf(before)?.typed ?? null,
    candidates: async (before, _signal, text) => {
      const caret = caretOf(before);
      if (!caret) return [];
      return candidates(await load(), items(), documentAt(text, before.length), caret);
    },
  };
}

/** The document around a place: others stand before and after `---`. @param {string} text @param {number} at */
export function documentAt(text, at) {
  const start = text.lastIndexOf("\n---", at - 1);
  const end = text.indexOf("\n---", at);
  return text.slice(start < 0 ? 0 : start + 4, end < 0 ? text.length : end);
}

/** @param {Schemas} schemas @param {Item[]} items @param {string} text of the document @param {import("./yaml.js").Caret} caret @returns {Completion[]} */
export function candidates(schemas, items, text, caret) {
  const kind = /^kind: *["']?(\w+)/m.exec(text)?.[1] ?? "";
  const known = schemas.kinds[kind];
  const { path, key, siblings } = caret;
  if (key === "kind" && path.length === 1) return Object.keys(schemas.kinds).map((name) => completion(name, schemas.kinds[name].apiVersion));
  if (key === "apiVersion" && path.length === 1) return apiVersions(schemas, known);
  const found = walk(schemas, root(known), path);
  const names = named(items, caret);
  if (key !== null || (path[path.length - 1] === null && !found?.properties)) return [...values(found), ...names];
  return Object.entries(found?.properties ?? {})
    .filter(([name]) => !siblings.has(name))
    .map(([name, schema]) => completion(name, words(schemas, schema), container(schemas, schema) ? `${name}:` : `${name}: `));
}

/** @param {string} text @param {string} kind @param {string} [insert] @returns {Completion} */
function completion(text, kind, insert = text) {
  return { text, kind, insert };
}

/** @param {Schemas} schemas @param {Schemas["kinds"][string] | undefined} known */
function apiVersions(schemas, known) {
  const versions = known ? [known.apiVersion] : [...new Set(Object.values(schemas.kinds).map(({ apiVersion }) => apiVersion))];
  return versions.map((version) => completion(version, ""));
}

/** Of a whole object. @param {Schemas["kinds"][string] | undefined} known */
function root(known) {
  const texts = { type: "object", additionalProperties: { type: "string" } };
  const metadata = { type: "object", properties: { name: { type: "string" }, ...(known?.namespaced === false ? {} : { namespace: { type: "string" } }), labels: texts, annotations: texts } };
  const head = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata };
  if (!known) return { type: "object", properties: head };
  return known.inline ? { allOf: [{ properties: head }, known.schema] } : { type: "object", properties: { ...head, spec: known.schema } };
}

/** What holds at a path. @param {Schemas} schemas @param {any} schema @param {(string | null)[]} path @returns {any} undefined where nothing is known */
function walk(schemas, schema, path) {
  let at = resolved(schemas, schema);
  for (const name of path) {
    at = resolved(schemas, name === null ? at?.items : (at?.properties?.[name] ?? at?.additionalProperties));
  }
  return at;
}

/** Without references, and without the null that an absent field may be. @param {Schemas} schemas @param {any} schema @returns {any} */
function resolved(schemas, schema) {
  if (schema === undefined || typeof schema === "boolean") return undefined;
  if (schema.$ref) return resolved(schemas, schemas.$defs[schema.$ref.split("/").pop()]);
  const either = schema.anyOf?.filter((/** @type {any} */ each) => each.type !== "null");
  if (either) return resolved(schemas, either[0]);
  if (!schema.allOf) return schema;
  return { type: "object", properties: Object.assign({}, ...schema.allOf.map((/** @type {any} */ each) => resolved(schemas, each)?.properties)) };
}

/** @param {any} schema */
function values(schema) {
  const type = schema?.type === "boolean" ? ["true", "false"] : (schema?.enum ?? schema?.items?.enum ?? (schema?.const === undefined ? [] : [schema.const]));
  return type.map((/** @type {unknown} */ value) => completion(String(value), ""));
}

/** @param {Schemas} schemas @param {any} schema */
function container(schemas, schema) {
  return ["object", "array"].includes(resolved(schemas, schema)?.type);
}

/** A type as people say it. @param {Schemas} schemas @param {any} schema @returns {string} */
function words(schemas, schema) {
  const found = resolved(schemas, schema);
  if (found?.enum) return found.enum.join(", ");
  if (found?.format) return found.format;
  return { array: "list", integer: "number" }[/** @type {string} */ (found?.type)] ?? found?.type ?? "";
}

/** What is configured and can be meant. @param {Item[]} items @param {import("./yaml.js").Caret} caret */
function named(items, { path, key }) {
  const field = key ?? path[path.length - 2];
  const kinds = NAMED[field ?? ""] ?? [];
  const found = items.filter(({ kind }) => kinds.includes(kind)).map(({ name, namespace }) => completion(name, namespace));
  if (field === "namespace") return [...new Set(items.map(({ namespace }) => namespace))].filter(Boolean).map((name) => completion(name, ""));
  return field === "gateways" ? [completion("mesh", ""), ...found] : found;
}
