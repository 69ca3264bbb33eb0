/** One board, or one's own standing on it, as it changes. */

import { advance } from "./view.js";

/**
 * Fires `change` whenever what it shows is another, and `error` (its `error` says why) where the server refuses it.
 */
export class Subscription extends EventTarget {
  #wanted;
  #leave;
  /** @type {import("./view.js").View | null} */
  #view = null;

  /** The server's name for it, known once it was granted. */
  name = "";
  /** Own position, rank and score, each null without a score; null as a whole until the server told.
   * @type {{position: number?, rank: number?, score: number?} | null} */
  standing = null;
  /** Why the server refuses it. @type {Error | null} */
  error = null;

  constructor(wanted, leave) {
    super();
    this.#wanted = wanted;
    this.#leave = leave;
  }

  /** Whether it follows the own standing, not the rows. */
  get me() {
    return this.#wanted.me;
  }

  /** The shown rows, best first. */
  get rows() {
    return this.#view?.rows ?? [];
  }

  /** How many players the board has, shown or not. */
  get total() {
    return this.#view?.total ?? 0;
  }

  /** The version shown; undefined until there is one. */
  get version() {
    return this.#view?.version;
  }

  /** The period shown, such as `2026-W48`. */
  get period() {
    return this.#view?.period;
  }

  /** Since when the board is frozen, as RFC 3339; null where it is not. */
  get frozenAt() {
    return this.#view?.frozen_at ?? null;
  }

  /** What to ask the server for: from the version shown, if it still remembers that. */
  get request() {
    if (!this.#view) return this.#wanted;
    const { period, epoch, version } = this.#view;
    return { ...this.#wanted, since: { period, epoch, version } };
  }

  /** Follow no more. */
  close() {
    this.#leave();
  }

  /**
   * Show what the server sent.
   *
   * @returns {boolean} false where a message is missing before this one, so that the board must be asked for afresh
   */
  take(message) {
    if (message.type === "me") {
      this.standing = message;
    } else {
      const view = advance(this.#view, message);
      if (view === this.#view) return true;
      this.#view = view;
      if (!view) return false;
    }
    this.error = null;
    this.dispatchEvent(new Event("change"));
    return true;
  }

  /** Somebody else is signed in. */
  forget() {
    if (!this.standing) return;
    this.standing = null;
    this.dispatchEvent(new Event("change"));
  }

  /** The server refuses. */
  refuse(error) {
    this.error = error;
    this.dispatchEvent(new Event("error"));
  }
}
