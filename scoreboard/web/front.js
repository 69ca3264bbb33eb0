/** The front page of several boards: a card for each, with its first rows live. */

import { formatScore } from "./format.js";
import { since } from "./frozen.js";
import { HOME } from "./scoreboard.js";

const LEADERS = 3;

/** Boards whose rows are shown; of more the titles are: a connection has only so many subscriptions. */
const FOLLOWED = 24;

/** Shows which boards there are, and who leads them. */
export class Front {
  #live;
  #list;
  #shown = "";
  #subscriptions = [];

  /**
   * @param {import("./scoreboard.js").Scoreboard} live
   * @param {HTMLUListElement} list
   */
  constructor(live, list) {
    this.#live = live;
    this.#list = list;
  }

  /** @param {{board: string, title: string, decimals: number, live_limit: number}[]} boards */
  show(boards) {
    const shown = JSON.stringify(boards);
    if (shown === this.#shown) return;
    this.clear();
    this.#shown = shown;
    this.#list.hidden = false;
    this.#list.replaceChildren(...boards.map((board, index) => this.#card(board, index < FOLLOWED)));
  }

  /** Show nothing. */
  clear() {
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#shown = "";
  }

  #card({ board, title, decimals, live_limit }, isFollowed) {
    const card = document.createElement("li");
    const link = add(card, "a");
    link.href = new URL(`b/${encodeURIComponent(board)}`, HOME);
    const heading = add(link, "h2", title || board);
    heading.dir = "auto";
    if (!isFollowed) return card;
    const leaders = add(link, "ol");
    const foot = add(link, "p");
    const [count, sign] = [add(foot, "span"), add(foot, "span")];
    sign.className = "sign";
    sign.hidden = true;
    const rows = this.#live.subscribe(board, { limit: Math.min(LEADERS, live_limit) });
    this.#subscriptions.push(rows);
    rows.addEventListener("change", () => {
      leaders.replaceChildren(...rows.rows.map((row) => leader(row, decimals)));
      count.textContent = rows.total === 1 ? "1 player" : rows.total ? `${rows.total.toLocaleString("en")} players` : "No scores yet";
      link.classList.toggle("frozen", Boolean(rows.frozenAt));
      sign.hidden = !rows.frozenAt;
      sign.textContent = rows.frozenAt ? `Frozen since ${since(rows.frozenAt)}` : "";
    });
    return card;
  }
}

function leader({ rank, name, score }, decimals) {
  const row = document.createElement("li");
  row.dataset.rank = rank;
  add(row, "span", rank.toLocaleString("en")).className = "medal";
  add(row, "bdi", name).className = "who";
  add(row, "span", formatScore(score, decimals)).className = "value";
  return row;
}

function add(parent, tag, text = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}
