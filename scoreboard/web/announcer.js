/** Tells those who listen rather than look what has changed, now and then. */

import { formatScore, ordinal } from "./format.js";

const PAUSE_MS = 6_000;

/** Speaks through a live region: about the connection at once, about the board at most every few seconds. */
export class Announcer {
  #region;
  #told = null;
  #news = null;
  #timer = 0;

  /** @param {HTMLElement} region with `aria-live` */
  constructor(region) {
    this.#region = region;
  }

  /** Say something now. */
  say(text) {
    this.#region.textContent = text;
  }

  /** Another board: what is there is no news. */
  reset() {
    this.#told = this.#news = null;
  }

  /**
   * @param {import("./view.js").Row | undefined} leader
   * @param {number | null | undefined} rank of the player who looks
   * @param {number} decimals
   */
  board(leader, rank, decimals) {
    const lead = leader ? `${leader.name} leads with ${formatScore(leader.score, decimals)}.` : "";
    this.#news = { leader: leader?.player_id, rank, text: [lead, rank ? `You are ${ordinal(rank)}.` : ""].join(" ") };
    this.#told ??= this.#news;
    this.#timer ||= setTimeout(() => this.#tell(), PAUSE_MS);
  }

  #tell() {
    this.#timer = 0;
    const [told, news] = [this.#told, this.#news];
    if (!news || (told.leader === news.leader && told.rank === news.rank)) return;
    this.#told = news;
    this.say(news.text);
  }
}
