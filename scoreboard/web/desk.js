/** The server as a moderator uses it: over REST, signed in. */

import { ScoreboardError, lost } from "./problem.js";
import { sessionOf } from "./session.js";

const HOME = new URL("api/v1/", import.meta.url.slice(0, import.meta.url.lastIndexOf("/web/") + 1));
const RENEW_MS = 60_000;
const ROLES = ["moderator", "admin"];

/** Says `player` whenever somebody else is signed in, or nobody any more. */
export class Desk extends EventTarget {
  #store;
  #renewing = null;

  /** Who is signed in. @type {{id: string, name: string, role: string} | null} */
  player = null;

  /** @param {import("./session.js").SessionStore} store */
  constructor(store) {
    super();
    this.#store = store;
  }

  /** How the audit trail names whoever is signed in. */
  get name() {
    return this.player && `player:${this.player.id}`;
  }

  /** Sign in as a moderator or admin. @param {string} username @param {string} password */
  async signIn(username, password) {
    const session = await this.#fetch("POST", "auth/login", { body: { username, password } });
    this.#store.save(sessionOf(session));
    this.#become(session.player);
  }

  /** Go on with a sign-in from before, if there is one. */
  async resume() {
    const player = this.#store.load() ? await this.get("me").catch(() => null) : null;
    this.#become(player);
  }

  /** Sign out, here and on the server. */
  async signOut() {
    const leaving = this.post("auth/logout");
    this.#store.save(null);
    this.#become(null);
    await leaving.catch(() => {}); // the tokens are forgotten here in any case
  }

  /** @param {string} path below the API's root @param {object} [query] what is empty is left out */
  get(path, query) {
    return this.#call("GET", path, { query });
  }

  /** @param {string} path @param {object} [body] what is null is left out */
  post(path, body) {
    return this.#call("POST", path, { body });
  }

  /** @param {string} path @param {object} body what is null is left out */
  put(path, body) {
    return this.#call("PUT", path, { body });
  }

  /** @param {string} path */
  remove(path) {
    return this.#call("DELETE", path, {});
  }

  #become(player) {
    const may = player && ROLES.includes(player.role);
    this.player = may ? player : null;
    this.dispatchEvent(new Event("player"));
    if (player && !may) throw new ScoreboardError({ code: "forbidden", title: "This player is no moderator." });
  }

  async #call(method, path, { query, body }) {
    const token = await this.#token();
    try {
      return await this.#fetch(method, path, { query, body, token });
    } catch (error) {
      if (error.code === "unauthenticated" && this.player) {
        this.#store.save(null);
        this.#become(null);
      }
      throw error;
    }
  }

  /** The access token, renewed if it is about to end; by one call where several need it. */
  async #token() {
    const session = this.#store.load();
    if (!session || session.expires_at > Date.now() + RENEW_MS) return session?.access_token;
    this.#renewing ??= this.#renew(session).finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #renew({ refresh_token }) {
    const session = sessionOf(await this.#fetch("POST", "auth/refresh", { body: { refresh_token } }));
    this.#store.save(session);
    return session.access_token;
  }

  async #fetch(method, path, { query = {}, body, token }) {
    const url = new URL(path, HOME);
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
    const headers = { ...(token && { Authorization: `Bearer ${token}` }) };
    const sends = method === "POST" || method === "PUT";
    if (sends) headers["Content-Type"] = "application/json";
    const text = sends ? JSON.stringify(body ?? {}, (_, value) => value ?? undefined) : undefined;
    const answer = await fetch(url, { method, headers, body: text, cache: "no-store" }).catch(() => Promise.reject(lost()));
    const content = answer.status === 204 ? null : await answer.json();
    if (answer.ok) return content;
    throw new ScoreboardError({ ...content, temporary: [429, 503].includes(answer.status) });
  }
}
