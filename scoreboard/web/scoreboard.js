/**
 * The client of a scoreboard server for browsers and Node.js: live boards, own standing, and scoring, over one WebSocket.
 *
 *     import { Scoreboard } from "https://scores.example/web/scoreboard.js";
 *     const board = new Scoreboard().subscribe("main", { limit: 10 });
 *     board.addEventListener("change", () => console.log(board.rows));
 *
 * A lost connection is made again by itself, and boards go on from the version shown.
 */

import { pause } from "./backoff.js";
import { CODECS } from "./codec.js";
import { refusal } from "./origin.js";
import { ScoreboardError, late, lost } from "./problem.js";
import { current, doubted, inMemory, sessionOf } from "./session.js";
import { Subscription } from "./subscription.js";
import { listen } from "./wake.js";

export { ScoreboardError };

/**
 * `disconnected` -> `connecting` -> `connected` (the socket is open) -> `authenticated` (credentials are sent) ->
 * `active` <-> `inactive` (the server pushes nothing until there is activity) -> `disconnected`.
 *
 * @typedef {"disconnected" | "connecting" | "connected" | "authenticated" | "active" | "inactive"} State
 * @typedef {{id: string, name: string, role: string}} Player
 */

/** Where the server is that this module came from, however deep it is mounted. */
export const HOME = import.meta.url.slice(0, import.meta.url.lastIndexOf("/web/") + 1);

const GRACE_MS = 10_000;
const ANSWER_MS = 10_000;
const ATTEMPTS = 5;
const ACTIVITY_MS = 1_000;
const FINAL_CODES = [4400, 4403];

/**
 * One connection. Fires `state` (see `state`, `retryAt`, `farewell`) and `player` (somebody signed in or out).
 */
export class Scoreboard extends EventTarget {
  #url;
  #store;
  /** @type {import("./codec.js").Codec} */
  #codec;
  #WebSocket;
  #staysAwake;
  #socket = null;
  /** @type {State} */
  #state = "disconnected";
  #pending = new Map();
  #ids = 0;
  #subscriptions = new Set();
  #attempt = 0;
  #bye = null;
  #silenceMs = ANSWER_MS;
  #heardAt = 0;
  #actedAt = 0;
  #watchdog = 0;
  #retry = 0;
  #ended = new AbortController();

  /** Who is signed in. @type {Player | null} */
  player = null;
  /** Whether boards may be behind, because the server has lost what it needs; `state` tells of changes. @type {boolean} */
  stale = false;
  /** When the connection is tried again, in milliseconds since 1970. @type {number | null} */
  retryAt = null;
  /** Why the server does not want this client back. @type {string | null} */
  farewell = null;

  /**
   * @param {object} [options]
   * @param {string} [options.url] of the server; the one that this module came from unless told
   * @param {string} [options.token] an access token; a spectator has none
   * @param {import("./session.js").SessionStore} [options.session] where tokens are kept that `signIn`, `signUp` and renewal bring
   * @param {import("./codec.js").CodecName} [options.codec] `msgpack` is shorter, `json` can be read by people
   * @param {boolean} [options.staysAwake] never let the server pause what it pushes, as a display that nobody touches
   * @param {typeof globalThis.WebSocket} [options.WebSocket] where there is none, as in Node.js before version 22
   */
  constructor({ url = HOME, token, session, codec = "json", staysAwake = false, WebSocket = globalThis.WebSocket } = {}) {
    super();
    this.#url = url.endsWith("/") ? url : `${url}/`;
    this.#codec = CODECS[codec];
    this.#WebSocket = WebSocket;
    this.#staysAwake = staysAwake;
    this.#store = session ?? inMemory(token ? { access_token: token } : null);
    this.#listen();
    this.connect();
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /** Try at once, rather than at `retryAt`. */
  connect() {
    if (this.#socket || this.#ended.signal.aborted) return;
    clearTimeout(this.#retry);
    this.retryAt = this.farewell = this.#bye = null;
    this.stale = false;
    const url = new URL("ws", this.#url);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.#socket = new this.#WebSocket(url, this.#codec.protocol));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#enter("connected");
      this.#authenticate();
    };
    socket.onmessage = ({ data }) => this.#take(this.#codec.decode(data));
    socket.onclose = ({ code }) => {
      if (this.#state === "connecting") this.#learnWhy();
      this.#lose(code);
    };
    this.#silenceMs = ANSWER_MS;
    this.#heard();
    this.#enter("connecting");
  }

  /** Somebody is there: have a paused connection go on. A page's own clicks and keys count without this. */
  act() {
    // Once is enough until the server answers.
    if (this.#state !== "inactive" || Date.now() - this.#actedAt < ACTIVITY_MS) return;
    this.#actedAt = Date.now();
    this.#send({ type: "activity" });
  }

  /** End the connection for good. */
  close() {
    this.#ended.abort();
    clearTimeout(this.#retry);
    this.#lose();
  }

  /**
   * Follow a board's best rows, or with `me` the own standing.
   *
   * @param {string} board
   * @param {{window?: string, limit?: number, me?: boolean}} [options]
   * @returns {Subscription}
   */
  subscribe(board, { window, limit = 10, me = false } = {}) {
    const subscription = new Subscription({ board, window, limit, me }, () => this.#leave(subscription));
    this.#subscriptions.add(subscription);
    if (this.#isUp()) this.#follow(subscription);
    return subscription;
  }

  /**
   * Send any message that has a `result`, and return that. Waits for the connection.
   *
   * @param {string} type such as `action`, `score` or `boards`
   * @param {object} [fields]
   * @param {{timeout?: number}} [options] milliseconds to wait for the connection, and again for the answer
   * @returns {Promise<any>}
   */
  async call(type, fields = {}, { timeout = ANSWER_MS } = {}) {
    await this.#connected(timeout);
    return this.#ask(type, fields, { timeout });
  }

  /**
   * Submit one score. It counts once however often it has to be sent, over lost connections too.
   *
   * @param {{board: string, action_token: string, score: number, tiebreakers?: number[], metadata?: object}} claim
   * @returns {Promise<any>} the server's answer: `status`, and where it was accepted `score`, `previous`, `rank` and more
   */
  async submit(claim) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.call("score", claim);
      } catch (error) {
        // An earlier attempt was committed, and its answer lost.
        if (attempt > 1 && error.code === "action_token_used" && error.result) return error.result;
        if (!error.temporary || error.code === "rate_limited" || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Sign in. @param {string} username @param {string} password */
  async signIn(username, password) {
    await this.#become(await this.call("login", { username, password }));
  }

  /** Make a new player and sign in as them. @param {string} username @param {string} password */
  async signUp(username, password) {
    await this.#become(await this.call("register", { username, password }));
  }

  /** Go on as a spectator, and end the sign-in on the server. */
  async signOut() {
    const session = this.#store.load();
    await this.#become(null);
    const headers = { Authorization: `Bearer ${session?.access_token}` };
    await fetch(new URL("api/v1/auth/logout", this.#url), { method: "POST", headers });
  }

  // The connection

  #enter(state) {
    this.#state = state;
    this.dispatchEvent(new Event("state"));
  }

  #isUp() {
    return this.#state === "active" || this.#state === "inactive";
  }

  async #connected(timeout) {
    const end = AbortSignal.timeout(timeout);
    while (!this.#isUp()) {
      if (this.farewell || end.aborted || this.#ended.signal.aborted) throw lost();
      await new Promise((resolve) => {
        this.addEventListener("state", resolve, { once: true });
        end.addEventListener("abort", resolve, { once: true });
      });
    }
  }

  #lose(code) {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    clearTimeout(this.#watchdog);
    for (const { reject } of this.#pending.values()) reject(lost());
    for (const subscription of this.#subscriptions) subscription.name = "";
    if (FINAL_CODES.includes(code) || this.#bye?.reconnect === false) {
      this.farewell = this.#bye?.reason ?? "closed";
    } else if (!this.#ended.signal.aborted) {
      const wait = pause(this.#attempt++, this.#bye?.retry_after_ms);
      this.retryAt = Date.now() + wait;
      this.#retry = setTimeout(() => this.connect(), wait);
    }
    this.#enter("disconnected");
  }

  /** The server is there and did not take the connection: perhaps it never will. */
  async #learnWhy() {
    const why = await refusal(new URL("ws", this.#url));
    if (!why || this.#state !== "disconnected") return;
    console.error(`scoreboard: ${globalThis.origin}: ${why}`);
    clearTimeout(this.#retry);
    this.retryAt = null;
    this.farewell = "origin refused";
    this.#enter("disconnected");
  }

  /** Anything counts as a sign of life; without one for long enough the connection is lost. */
  #heard() {
    this.#heardAt = Date.now();
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lose(), this.#silenceMs);
  }

  #listen() {
    const wake = () => {
      // Timers of a sleeping page are late: the connection may be long dead.
      if (this.#socket && Date.now() - this.#heardAt > this.#silenceMs) this.#lose();
      if (!this.farewell) this.connect();
      this.act();
    };
    listen({ act: () => this.act(), wake, signal: this.#ended.signal });
  }

  // Who is there

  async #authenticate() {
    const socket = this.#socket;
    try {
      const session = await current(this.#store, (type, fields) => this.#ask(type, fields));
      if (this.#state === "connected") this.#enter("authenticated");
      this.#welcome(await this.#ask("auth", session ? { token: session.access_token } : {}));
    } catch (error) {
      if (socket !== this.#socket) return;
      if (error.temporary) this.#lose();
      else doubted(this.#store, error);
    }
  }

  #welcome({ player, ping_s }) {
    this.#attempt = 0;
    this.#silenceMs = ping_s * 1000 + GRACE_MS;
    this.#heard();
    const changed = this.player?.id !== player?.id;
    this.player = player;
    if (!this.#isUp()) this.#enter("active");
    if (changed) this.dispatchEvent(new Event("player"));
    for (const subscription of this.#subscriptions) {
      if (changed) subscription.forget();
      if (subscription.me || !subscription.name) this.#follow(subscription);
    }
  }

  async #become(session) {
    this.#store.save(session && sessionOf(session));
    if (this.#isUp()) await this.#authenticate();
  }

  // Subscriptions

  async #follow(subscription) {
    if (subscription.me && !this.player) return;
    // At once: what it shows may follow in the same turn.
    const named = (result) => (subscription.name = result.subscription);
    try {
      await this.#ask("subscribe", subscription.request, { heard: named });
      if (!this.#subscriptions.has(subscription)) this.#leave(subscription);
    } catch (error) {
      if (!error.temporary) subscription.refuse(error);
    }
  }

  #leave(subscription) {
    this.#subscriptions.delete(subscription);
    const { name } = subscription;
    const shared = [...this.#subscriptions].some((other) => !other.name || other.name === name);
    if (name && !shared) this.#send({ type: "unsubscribe", subscription: name });
  }

  #show(name, message) {
    for (const subscription of this.#subscriptions) {
      if (subscription.name === name && !subscription.take(message)) this.#follow(subscription);
    }
  }

  #send(message) {
    if (this.#socket?.readyState !== this.#WebSocket.OPEN) return false;
    this.#socket.send(this.#codec.encode(message));
    return true;
  }

  #ask(type, fields, { timeout = ANSWER_MS, heard = () => {} } = {}) {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late()), timeout);
      const take = (result) => {
        heard(result);
        resolve(result);
      };
      this.#pending.set(id, { take, reject, timer });
      if (!this.#send({ type, id, ...fields })) reject(lost());
    }).finally(() => {
      clearTimeout(this.#pending.get(id).timer);
      this.#pending.delete(id);
    });
  }

  #take(message) {
    this.#heard();
    const { type, id, board, window, limit } = message;
    if (type === "ping") this.#send({ type: "pong" });
    else if (type === "snapshot" || type === "delta") this.#show(`${board}/${window}/${limit}`, message);
    else if (type === "me") this.#show(`${board}/${window}/me`, message);
    else if (type === "state") this.#rest(message.state);
    else if (type === "freshness") this.#age(message.stale);
    else if (type === "expiring") setTimeout(() => this.#isUp() && this.#authenticate(), message.expires_in * 500);
    else if (type === "bye") this.#bye = message;
    else if (type === "error") this.#refused(message);
    else this.#pending.get(id)?.take(message.value ?? message);
  }

  #age(stale) {
    this.stale = stale;
    this.#enter(this.#state);
  }

  #rest(state) {
    this.#enter(state);
    if (state === "inactive" && this.#staysAwake) this.#send({ type: "activity" });
  }

  #refused(message) {
    const error = new ScoreboardError(message);
    this.#pending.get(message.id)?.reject(error);
    for (const subscription of this.#subscriptions) {
      if (message.subscription && subscription.name === message.subscription) {
        subscription.name = "";
        subscription.refuse(error);
      }
    }
  }
}
