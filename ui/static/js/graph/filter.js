/**
 * The language of "Find" and "Hide": Kiali's conditions, with parentheses, `and`, `or`, `not`.
 *
 *   condition   = flag | field operator value | word
 *   field       = name | namespace | version | workload | kind | protocol | rate | %error | rt | mtls
 *   operator    = `=` | `!=` | `<` | `<=` | `>` | `>=` | contains | startswith | endswith | `!contains` ..
 *   flag        = healthy | degraded | failure | idle | root | mtls | tcp | http | grpc
 *   word        = anything else: a part of a name
 *
 * `rt` is the 95th percentile in ms, `rate` calls a second, `%error` and `mtls` percent.
 */

import { t } from "../lib/texts.js";

/** @typedef {import("./model.js").Node} Node @typedef {import("./model.js").Edge} Edge @typedef {(of: Node | Edge) => boolean} Condition */

/** What is wrong with an expression. */
export class FilterError extends Error {}

const TOKEN = /\s*(?:([()])|("(?:[^"\\]|\\.)*")|(!?(?:contains|startswith|endswith)\b|[!<>]=|[=<>])|([^\s()=<>!"]+))/y;

/** @type {Record<string, (of: any) => string | undefined>} */
const TEXTS = {
  name: (of) => of.name,
  namespace: (of) => of.namespace,
  ns: (of) => of.namespace,
  version: (of) => of.version,
  workload: (of) => of.workload,
  kind: (of) => of.kind,
  protocol: (of) => of.protocol,
};
/** @type {Record<string, (of: any) => number | undefined>} */
const NUMBERS = {
  rate: (of) => of.rate,
  "%error": (of) => of.share * 100,
  "%err": (of) => of.share * 100,
  rt: (of) => (of.p95 === null ? undefined : of.p95 / 1000),
  mtls: (of) => of.mtls ?? undefined,
};
/** @type {Record<string, Condition>} */
const FLAGS = {
  ...Object.fromEntries(["healthy", "degraded", "failure", "idle"].map((state) => [state, (/** @type {any} */ of) => of.health === state])),
  root: (of) => "root" in of && of.root,
  mtls: (of) => "mtls" in of && (of.mtls ?? 0) > 0,
  ...Object.fromEntries(["tcp", "http", "grpc"].map((name) => [name, (/** @type {any} */ of) => of.protocol === name])),
};
/** @type {Record<string, (text: string, value: string) => boolean>} */
const OF_TEXT = {
  "=": (text, value) => text === value,
  contains: (text, value) => text.includes(value),
  startswith: (text, value) => text.startsWith(value),
  endswith: (text, value) => text.endsWith(value),
};
/** @type {Record<string, (a: number, b: number) => boolean>} */
const OF_NUMBERS = { "=": (a, b) => a === b, "!=": (a, b) => a !== b, "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b };

/** @param {string} text @returns {Condition | null} null when it is blank; throws FilterError */
export function parse(text) {
  const tokens = split(text);
  if (!tokens.length) return null;
  let at = 0;
  const condition = either();
  if (at < tokens.length) throw new FilterError(t("“{text}” is too much", { text: tokens[at].text }));
  return condition;

  /** @returns {Condition} */
  function either() {
    const parts = [both()];
    while (word("or")) parts.push(both());
    return (of) => parts.some((part) => part(of));
  }

  /** @returns {Condition} */
  function both() {
    const parts = [single()];
    while (word("and") || begins()) parts.push(single()); // words side by side must all be in the name
    return (of) => parts.every((part) => part(of));
  }

  /** @returns {Condition} */
  function single() {
    if (word("not")) {
      const part = single();
      return (of) => !part(of);
    }
    const token = tokens[at++];
    if (!token) throw new FilterError(t("a condition is missing at the end"));
    if (token.text === "(" && token.kind === "mark") {
      const inner = either();
      if (tokens[at++]?.text !== ")") throw new FilterError(t("a closing parenthesis is missing"));
      return inner;
    }
    if (token.kind !== "word" || /^(and|or)$/i.test(token.text)) throw new FilterError(t("a condition is missing before “{text}”", { text: token.text }));
    return tokens[at]?.kind === "operator" ? compared(token.text.toLowerCase(), tokens[at++].text) : lone(token.text.toLowerCase());
  }

  /** @param {string} field @param {string} operator @returns {Condition} */
  function compared(field, operator) {
    const value = tokens[at++];
    if (!value || value.kind === "mark" || value.kind === "operator") throw new FilterError(t("a value is missing after “{text}”", { text: operator }));
    if (field in NUMBERS && operator in OF_NUMBERS) {
      const limit = Number(value.text.replace(/(ms|%)$/, ""));
      if (Number.isNaN(limit)) throw new FilterError(t("{field} is compared with a number, not “{text}”", { field, text: value.text }));
      return (of) => holds(NUMBERS[field](of), (number) => OF_NUMBERS[operator](number, limit));
    }
    const known = operator.replace("!", "");
    if (!(field in TEXTS)) throw new FilterError(t("unknown field “{field}”: {known}", { field, known: [...Object.keys(TEXTS), ...Object.keys(NUMBERS)].join(", ") }));
    if (!(known in OF_TEXT)) throw new FilterError(t("{field} is text: use =, !=, contains, startswith or endswith", { field }));
    const wanted = value.text.toLowerCase();
    return (of) => holds(TEXTS[field](of)?.toLowerCase(), (text) => OF_TEXT[known](text, wanted) !== operator.startsWith("!"));
  }

  function begins() {
    const token = tokens[at];
    return token !== undefined && (token.text === "(" || (token.kind === "word" && token.text.toLowerCase() !== "or"));
  }

  /** @param {string} text */
  function word(text) {
    const found = tokens[at]?.kind === "word" && tokens[at].text.toLowerCase() === text;
    at += Number(found);
    return found;
  }
}

/** @param {Condition} condition @param {Node | Edge} of */
export function accepts(condition, of) {
  return condition(of);
}

/** What one side does not have is no match. @template T @param {T | undefined} value @param {(value: T) => boolean} check */
function holds(value, check) {
  return value !== undefined && check(value);
}

/** @param {string} text @returns {Condition} */
function lone(text) {
  if (Object.hasOwn(FLAGS, text)) return FLAGS[text];
  return (of) => "name" in of && `${of.name} ${of.version}`.toLowerCase().includes(text);
}

/** @param {string} text @returns {{kind: "mark" | "operator" | "word", text: string}[]} */
function split(text) {
  /** @type {{kind: "mark" | "operator" | "word", text: string}[]} */
  const tokens = [];
  const scan = new RegExp(TOKEN);
  const source = text.trimEnd();
  while (scan.lastIndex < source.length) {
    const from = scan.lastIndex;
    const found = scan.exec(source);
    if (!found) throw new FilterError(t("“{text}” cannot be read", { text: source.slice(from).trim() }));
    const [, mark, quoted, operator, word] = found;
    if (mark) tokens.push({ kind: "mark", text: mark });
    else if (operator) tokens.push({ kind: "operator", text: operator });
    else tokens.push({ kind: "word", text: quoted ? quoted.slice(1, -1).replace(/\\(.)/g, "$1") : word });
  }
  return tokens;
}
