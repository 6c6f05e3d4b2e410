/** Requests to the JSON APIs of the same origin. */

import { base } from "./address.js";
import { t } from "./texts.js";

/** What an API answered instead of data; `message` is for people. */
export class ApiError extends Error {
  /** @param {number} status 0 when there was no answer @param {string} message @param {string} [body] as it came */
  constructor(status, message, body = "") {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/**
 * @param {string} path below the base path
 * @param {Record<string, string | number | null | undefined>} [query] empty values are left out
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 * @throws {ApiError} and the signal's AbortError
 */
export async function get(path, query = {}, signal) {
  return json(await ask(path, query, { signal, headers: { Accept: "application/json" } }));
}

/**
 * @param {string} path below the base path @param {object} body sent as JSON @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 * @throws {ApiError} and the signal's AbortError
 */
export async function post(path, body, signal) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return json(await ask(path, {}, { method: "POST", body: JSON.stringify(body), headers, signal }));
}

/** @param {string} text */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(200, t("The server's answer is not JSON. Does a proxy stand between?"));
  }
}

/**
 * As `get`, for an answer that is text, or with a body.
 * @param {string} path @param {Record<string, string | number | null | undefined>} query @param {RequestInit} request
 * @returns {Promise<string>} @throws {ApiError} and the signal's AbortError
 */
export async function ask(path, query, request) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  let answer;
  try {
    answer = await fetch(`${base}${path}${search.size ? `?${search}` : ""}`, request);
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new ApiError(0, t("No answer from the server. Is vigla running, and is the network up?"));
  }
  const text = await answer.text();
  if (!answer.ok) throw new ApiError(answer.status, explain(answer.status, text), text);
  return text;
}

const LONGEST_MESSAGE = 300; // a proxy's error page is no message

/** @param {number} status @param {string} text */
function explain(status, text) {
  let message = text;
  try {
    const body = JSON.parse(text);
    message = body.errors?.[0]?.msg ?? body.error?.message ?? body.error ?? body.detail ?? body.message ?? text;
  } catch {
    // not JSON: a plain text is the message itself
  }
  const plain = typeof message === "string" && !message.trimStart().startsWith("<") ? message.trim() : "";
  return plain ? plain.slice(0, LONGEST_MESSAGE) : t("The server answered with status {status}", { status });
}

/** One request at a time: a newer one cancels the one before. */
export class Latest {
  /** @type {AbortController | null} */
  #running = null;

  /**
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} request
   * @returns {Promise<T | undefined>} undefined when a newer request took over
   */
  async run(request) {
    this.#running?.abort();
    const own = new AbortController();
    this.#running = own;
    try {
      const answer = await request(own.signal);
      return own.signal.aborted ? undefined : answer;
    } catch (error) {
      if (own.signal.aborted) return undefined;
      throw error;
    }
  }
}
