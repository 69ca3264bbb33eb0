/** How the connection is, in words. */

const WORDS = {
  connecting: "Connecting…",
  connected: "Connecting…",
  authenticated: "Signing in…",
  active: "Live",
  inactive: "Paused – move or press a key",
};

const REFUSED = "This page may not show the board";
const STALE = "May be behind – the server is recovering";

/** Shows the state of a connection, and counts the seconds to the next attempt. */
export class Status {
  #live;
  #root;
  #text;
  #button;
  #timer = 0;

  /**
   * @param {import("./scoreboard.js").Scoreboard} live
   * @param {HTMLElement} element with the text in `span` and a `button` to connect at once
   * @param {object} options
   * @param {HTMLElement} [options.root] gets the state as `data-state`, for styles
   * @param {import("./announcer.js").Announcer} [options.announcer] told when the connection is lost and found
   * @param {AbortSignal} [options.signal] ends it
   */
  constructor(live, element, { root = document.documentElement, announcer, signal } = {}) {
    this.#live = live;
    this.#root = root;
    this.#text = element.querySelector("span");
    this.#button = element.querySelector("button");
    this.#button.onclick = () => live.connect();
    let wasUp = null;
    const changed = () => {
      this.#show();
      const up = live.state === "active" || (live.state === "disconnected" ? false : wasUp);
      if (wasUp !== null && up !== wasUp) announcer?.say(up ? "Live again." : "Connection lost.");
      wasUp = up;
    };
    live.addEventListener("state", changed, { signal });
    signal?.addEventListener("abort", () => clearInterval(this.#timer));
    this.#show();
  }

  #show() {
    clearInterval(this.#timer);
    const { state, stale, farewell } = this.#live;
    this.#root.dataset.state = farewell ? "closed" : state;
    this.#button.hidden = state !== "disconnected";
    this.#root.classList.toggle("stale", stale);
    this.#text.textContent = state === "active" && stale ? STALE : (WORDS[state] ?? this.#waiting());
    if (state === "disconnected" && !farewell) {
      this.#timer = setInterval(() => (this.#text.textContent = this.#waiting()), 250);
    }
  }

  #waiting() {
    const { farewell } = this.#live;
    if (farewell) return farewell === "origin refused" ? REFUSED : `Closed by the server: ${farewell}`;
    return `Reconnecting in ${Math.max(0, Math.ceil((this.#live.retryAt - Date.now()) / 1000))} s`;
  }
}
