/** Which period of a window is shown: the current one, live, or one that has ended. */

import { periodTitle } from "./format.js";

/** Offers the periods that have ended, where there are any; fires `change` when another is chosen. */
export class Periods extends EventTarget {
  #live;
  #label;
  #select;
  #asked = 0;

  /**
   * @param {import("./scoreboard.js").Scoreboard} live
   * @param {HTMLElement} label around a `select`
   */
  constructor(live, label) {
    super();
    this.#live = live;
    this.#label = label;
    this.#select = label.querySelector("select");
    this.#select.onchange = () => this.dispatchEvent(new Event("change"));
  }

  /** The period that was chosen; null for the current one. @returns {string | null} */
  get chosen() {
    return this.#select.value || null;
  }

  /** Offer the periods of another window. @param {string} board @param {string} window @param {string?} chosen */
  async offer(board, window, chosen = null) {
    const asked = ++this.#asked;
    this.#fill([], window, chosen);
    const { periods } = await this.#live.call("periods", { board });
    if (asked !== this.#asked) return; // another window was chosen meanwhile
    const ended = periods.filter((each) => each.window === window && !each.current);
    this.#fill(ended.map(({ period }) => period), window, this.chosen);
  }

  #fill(ended, window, chosen) {
    const known = chosen && !ended.includes(chosen) ? [chosen, ...ended] : ended;
    const options = known.map((period) => new Option(periodTitle(window, period), period));
    this.#select.replaceChildren(new Option("Now", ""), ...options);
    this.#select.value = chosen ?? "";
    this.#label.hidden = known.length === 0;
  }
}
