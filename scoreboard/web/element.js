/**
 * A live board in any page, as an element:
 *
 *     <script type="module" src="https://scores.example/web/element.js"></script>
 *     <live-scoreboard board="main" limit="5"></live-scoreboard>
 *
 * Attributes: `board`; `window`, the board's first unless told; `limit`, 10 unless told; `src`, the server's address, the
 * one that this module came from unless told; `theme`, `light` or `dark`, the page's unless told. Fires `change` with the
 * rows as `detail` whenever what it shows is another.
 */

import { Frozen, alike } from "./frozen.js";
import { HOME, Scoreboard } from "./scoreboard.js";
import { Status } from "./status.js";
import { Table } from "./table.js";

const STYLES = ["colours.css", "table.css", "frozen.css", "element.css"];
const SHAPE = `
  <div data-phase="loading" data-state="connecting">
    <p id="status"><span></span> <button hidden>Now</button></p>
    <p id="frozen" hidden><span>Frozen since <time></time></span></p>
    <table id="board">
      <caption></caption>
      <thead><tr><th scope="col">Rank</th><th scope="col">Player</th><th scope="col">Score</th></tr></thead>
      <tbody></tbody>
      <tfoot></tfoot>
    </table>
    <p id="note"></p>
  </div>`;

/** Connections by address: the elements of a page share one. @type {Map<string, {live: Scoreboard, users: number}>} */
const connections = new Map();

function connect(url) {
  const shared = connections.get(url) ?? { live: new Scoreboard({ url, staysAwake: true }), users: 0 };
  connections.set(url, shared);
  shared.users += 1;
  return shared.live;
}

function disconnect(url) {
  const shared = connections.get(url);
  shared.users -= 1;
  if (shared.users > 0) return;
  connections.delete(url);
  shared.live.close();
}

/** `<live-scoreboard>`. */
export class LiveScoreboard extends HTMLElement {
  static observedAttributes = ["board", "window", "limit", "src"];

  #frame;
  #table;
  #frozen;
  #url = null;
  #settings = null;
  #rows = null;
  #ended = null;
  #waiting = false;

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: "open" });
    shadow.innerHTML = SHAPE; // nothing of it comes from elsewhere
    shadow.prepend(...STYLES.map(stylesheet));
    this.#frame = shadow.querySelector("div");
    this.#table = new Table(shadow.querySelector("table"));
    this.#frozen = new Frozen(shadow.querySelector("#frozen"), { root: this.#frame });
  }

  connectedCallback() {
    this.#renew();
  }

  disconnectedCallback() {
    this.#renew();
  }

  attributeChangedCallback() {
    this.#renew();
  }

  /** Begin anew with the attributes there are, once for all that change at a time. */
  #renew() {
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      this.#close();
      if (this.isConnected && this.getAttribute("board")) this.#open();
    });
  }

  #open() {
    this.#url = this.getAttribute("src") ?? HOME;
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    const live = connect(this.#url);
    new Status(live, this.#find("#status"), { root: this.#frame, signal });
    const changed = () => {
      if (live.state === "active") this.#load(live, signal);
      if (live.farewell && this.#rows === null) this.#say("", "missing"); // there is nothing to wait for
    };
    live.addEventListener("state", changed, { signal });
    changed();
  }

  #close() {
    if (this.#url === null) return;
    this.#ended.abort();
    this.#rows?.close();
    disconnect(this.#url);
    this.#url = this.#rows = this.#settings = null;
    this.#table.clear();
    this.#frozen.show(null);
    this.#frame.dataset.phase = "loading";
  }

  /** What the board is, at every connection: it may be another then. */
  async #load(live, signal) {
    try {
      const board = await live.call("board", { board: this.getAttribute("board") });
      if (!signal.aborted && !alike(board, this.#settings)) this.#show(live, board);
    } catch (error) {
      if (!signal.aborted && !error.temporary) this.#say(error.message, "missing");
    }
  }

  #show(live, board) {
    this.#settings = board;
    this.#rows?.close();
    this.#table.settings = board;
    this.#find("caption").textContent = board.title || board.board;
    const window = this.getAttribute("window") ?? undefined;
    const limit = Number.parseInt(this.getAttribute("limit")) || 10;
    const rows = (this.#rows = live.subscribe(board.board, { window, limit: Math.min(limit, board.live_limit) }));
    rows.addEventListener("change", () => this.#draw(rows));
    rows.addEventListener("error", () => this.#say(rows.error.message, "missing"));
  }

  #draw({ rows, total, frozenAt }) {
    this.#frozen.show(frozenAt);
    this.#table.show(rows, { player: null, standing: null });
    this.#say(total ? "" : "No scores yet.", total ? "rows" : "empty");
    this.dispatchEvent(new CustomEvent("change", { detail: rows }));
  }

  #say(text, phase) {
    this.#find("#note").textContent = text;
    this.#frame.dataset.phase = phase;
  }

  #find(selector) {
    return this.#frame.querySelector(selector);
  }
}

function stylesheet(name) {
  return Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL(name, import.meta.url).href });
}

customElements.define("live-scoreboard", LiveScoreboard);
