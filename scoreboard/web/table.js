/** The rows of a board: one table row for each player, which glides to its place when that changes. */

import { formatGain, formatScore } from "./format.js";
import { appear, count, glide } from "./motion.js";

const GRAPHEMES = new Intl.Segmenter();

/** Shows a board's settings and rows in the page's table. */
export class Table {
  #body;
  #own;
  #rows = new Map();
  #pinned = null;
  #settings = { decimals: 0, order: "desc", tiebreakers: [] };

  /** @param {HTMLTableElement} table */
  constructor(table) {
    this.#body = table.tBodies[0];
    this.#own = table.tFoot;
  }

  /** What the board is; its rows are shown afresh. */
  set settings(settings) {
    this.#settings = settings;
    this.clear();
  }

  /** Show nothing. */
  clear() {
    this.#rows.clear();
    this.#pinned = null;
    this.#body.replaceChildren();
    this.#own.replaceChildren();
  }

  /**
   * @param {import("./view.js").Row[]} rows
   * @param {{player: {id: string, name: string} | null, standing: object | null}} own
   */
  show(rows, { player, standing }) {
    const gone = new Map(this.#rows);
    const first = this.#rows.size === 0;
    const fresh = [];
    const scale = scaleOf(rows, this.#settings.order);
    const elements = rows.map((row, index) => {
      gone.delete(row.player_id);
      const kept = this.#rows.get(row.player_id);
      const line = kept ?? new Line(row.player_id);
      if (!kept) fresh.push(line.element);
      this.#rows.set(row.player_id, line);
      const tied = rows[index - 1]?.rank === row.rank || rows[index + 1]?.rank === row.rank;
      line.show({ ...row, tied, share: scale(row.score), own: row.player_id === player?.id }, this.#settings);
      return line.element;
    });
    for (const id of gone.keys()) this.#rows.delete(id);
    glide(this.#body.rows, () => this.#place(elements));
    if (!first) fresh.forEach(appear);
    this.#pin(rows, player, standing);
  }

  /** Put rows in order, touching only those that are not in it. */
  #place(elements) {
    for (const element of [...this.#body.rows]) if (!elements.includes(element)) element.remove();
    elements.forEach((element, index) => {
      if (this.#body.rows[index] !== element) this.#body.insertBefore(element, this.#body.rows[index] ?? null);
    });
  }

  /** The own row stands below the others where it is not among them. */
  #pin(rows, player, standing) {
    const shown = !player || standing?.position == null || rows.some((row) => row.player_id === player.id);
    if (shown) {
      this.#own.replaceChildren();
      return;
    }
    if (this.#pinned?.element.dataset.player !== player.id) this.#pinned = new Line(player.id);
    this.#pinned.show({ ...standing, name: player.name, player_id: player.id, share: 0, own: true }, this.#settings);
    if (!this.#pinned.element.isConnected) this.#own.replaceChildren(this.#pinned.element);
  }
}

/** One row. */
class Line {
  #score = null;
  #shown = 0;
  #parts;

  constructor(id) {
    this.element = document.createElement("tr");
    this.element.dataset.player = id;
    const rank = add(this.element, "td", "rank");
    const name = add(this.element, "th", "name");
    name.scope = "row";
    const score = add(this.element, "td", "score");
    const badge = add(name, "span", "badge");
    badge.ariaHidden = "true";
    badge.style.setProperty("--hue", hueOf(id));
    const bdi = add(name, "bdi", "who");
    const you = add(name, "span", "you");
    this.#parts = { rank: add(rank, "span", "medal"), tied: add(rank, "span", "tied"), badge, bdi, you };
    this.#parts.value = add(score, "span", "value");
    this.#parts.ties = add(score, "small", "ties");
  }

  show(row, { decimals, order, tiebreakers }) {
    const { rank, tied, badge, bdi, you, ties } = this.#parts;
    const { element } = this;
    element.dataset.rank = row.rank;
    element.classList.toggle("own", row.own);
    element.style.setProperty("--share", row.share);
    rank.textContent = row.rank.toLocaleString("en");
    tied.textContent = row.tied ? "tied" : "";
    bdi.textContent = bdi.title = row.name;
    badge.textContent = GRAPHEMES.segment(row.name)[Symbol.iterator]().next().value?.segment.toUpperCase() ?? "";
    you.textContent = row.own ? "you" : "";
    ties.textContent = tiebreakers.map(({ name }, index) => `${name} ${row.tiebreakers?.[index] ?? 0}`).join(" · ");
    if (row.score !== this.#score) this.#move(row.score, decimals, order);
  }

  /** Count up to another score, and flash what was gained. */
  #move(score, decimals, order) {
    const before = this.#score;
    this.#score = score;
    const { value } = this.#parts;
    const put = (shown) => {
      this.#shown = shown;
      value.textContent = formatScore(shown, decimals);
      value.classList.toggle("long", value.textContent.length > 12);
    };
    if (before === null) {
      put(score);
      return;
    }
    const from = this.#shown;
    count((share) => {
      if (this.#score !== score) return false;
      put(share === 1 ? score : Math.trunc(from + (score - from) * share));
      return true;
    });
    this.#flash(score - before, decimals, order);
  }

  #flash(gain, decimals, order) {
    if (!Number.isSafeInteger(gain)) return;
    this.element.querySelector(".gain")?.remove();
    const chip = add(this.element.querySelector(".score"), "span", "gain");
    chip.classList.toggle("worse", gain < 0 === (order === "desc"));
    chip.ariaHidden = "true";
    chip.textContent = formatGain(gain, decimals);
    chip.onanimationend = () => chip.remove();
  }
}

function add(parent, tag, name) {
  const element = document.createElement(tag);
  element.className = name;
  parent.append(element);
  return element;
}

/** A colour of one's own, the same everywhere. */
function hueOf(id) {
  let hash = 0;
  for (const character of id) hash = Math.imul(hash ^ character.codePointAt(0), 0x9e3779b1);
  return (hash >>> 8) % 360;
}

/** How long the bar below a name is, as a share of the longest: the better a score, the longer. */
function scaleOf(rows, order) {
  const scores = rows.map((row) => row.score);
  if (order === "asc") {
    const least = Math.min(...scores.filter((score) => score > 0));
    return (score) => (score > 0 ? least / score : 1);
  }
  const most = Math.max(1, ...scores.map(Math.abs));
  return (score) => Math.max(0, score) / most;
}
