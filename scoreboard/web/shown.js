/** The board that is shown: which window and period of it, and its rows, live or as they ended. */

import { periodTitle, windowTitle } from "./format.js";
import { Periods } from "./periods.js";
import { remember, wanted } from "./address.js";

const root = document.documentElement;

/** Rows that there is room for at least, on a wall: one alone would be as large as the screen. */
const FEWEST = 3;

/** Shows one board at a time. */
export class Shown {
  #live;
  #find;
  #table;
  #play;
  #announcer;
  #frozen;
  #periods;
  #limit;
  #refused;
  #settings = null;
  #window = "";
  #rows = null;
  #mine = null;

  /**
   * @param {object} parts
   * @param {import("./scoreboard.js").Scoreboard} parts.live
   * @param {(selector: string) => HTMLElement} parts.find in the page
   * @param {import("./table.js").Table} parts.table
   * @param {import("./play.js").Play} parts.play
   * @param {import("./announcer.js").Announcer} parts.announcer
   * @param {import("./frozen.js").Frozen} parts.frozen
   * @param {number} parts.limit rows at most
   * @param {(why: string) => void} parts.refused told why the server shows the board no more
   */
  constructor({ live, find, table, play, announcer, frozen, limit, refused }) {
    this.#live = live;
    this.#find = find;
    this.#table = table;
    this.#play = play;
    this.#announcer = announcer;
    this.#frozen = frozen;
    this.#limit = limit;
    this.#refused = refused;
    this.#periods = new Periods(live, find("#periods"));
    this.#periods.addEventListener("change", () => this.#choose(this.#window, this.#periods.chosen));
    live.addEventListener("player", () => this.#settings && this.#open());
  }

  /** Show a board, the window and period of it that the address names. */
  show(settings) {
    this.#settings = settings;
    this.#frozen.show(settings.frozen_at ?? null);
    const named = wanted("window");
    const known = settings.windows.includes(named);
    this.#offer(known ? named : settings.windows[0], known ? wanted("period") : null);
    this.#open();
  }

  /** Show none. */
  clear() {
    this.#leave();
    this.#settings = null;
    this.#table.clear();
    this.#frozen.show(null);
  }

  #choose(window, period) {
    remember({ window, period });
    if (window !== this.#window) this.#offer(window, period);
    this.#open();
  }

  /** Which windows there are, and which periods of one. */
  #offer(window, period) {
    this.#window = window;
    const { windows, board } = this.#settings;
    const group = this.#find("#windows");
    group.hidden = windows.length < 2;
    group.replaceChildren(...windows.map((each) => this.#button(each)));
    this.#periods.offer(board, window, period).catch(() => {}); // those known so far are offered
  }

  #button(window) {
    const button = document.createElement("button");
    button.textContent = windowTitle(window);
    button.ariaPressed = String(window === this.#window);
    button.onclick = () => {
      this.#choose(window, null);
      this.#find("#windows [aria-pressed=true]").focus();
    };
    return button;
  }

  #leave() {
    this.#rows?.close();
    this.#mine?.close();
    this.#rows = this.#mine = null;
  }

  #open() {
    this.#leave();
    this.#table.settings = this.#settings;
    this.#announcer.reset();
    const period = this.#periods.chosen;
    root.dataset.period = period ? "ended" : "current";
    if (period) this.#review(period).catch((error) => this.#refused(error.message));
    else this.#follow();
  }

  /** Follow the current period, and the own standing in it. */
  #follow() {
    const { board, live_limit } = this.#settings;
    const window = this.#window;
    const rows = (this.#rows = this.#live.subscribe(board, { window, limit: Math.min(this.#limit, live_limit) }));
    const mine = (this.#mine = this.#live.subscribe(board, { window, me: true }));
    rows.addEventListener("change", () => this.#draw());
    rows.addEventListener("error", () => this.#refused(rows.error.message));
    mine.addEventListener("change", () => this.#draw());
    this.#draw();
  }

  #draw() {
    const [rows, standing] = [this.#rows, this.#mine.standing];
    // Of a frozen board it is older than what the player has just been told.
    this.#play.standing = rows.frozenAt ? null : standing;
    if (rows.version === undefined) return;
    this.#frozen.since = rows.frozenAt;
    // Nothing is pushed while the shown rows stay as they are, so the own position may know of more players.
    const total = Math.max(rows.total, standing?.position ?? 0);
    this.#table.show(rows.rows, { player: this.#live.player, standing });
    root.style.setProperty("--rows", Math.max(FEWEST, rows.rows.length));
    this.#announcer.board(rows.rows[0], standing?.rank, this.#settings.decimals);
    this.#note(total ? counted(rows.rows.length, total) : this.#nothing(), total);
  }

  /** Show a period that has ended, as it ended. */
  async #review(period) {
    const asked = { board: this.#settings.board, window: this.#window, period };
    const { player } = this.#live;
    const [page, standing] = await Promise.all([
      this.#live.call("top", { ...asked, limit: this.#limit }),
      player && this.#live.call("player", { ...asked, player_id: player.id }).catch(() => null), // not on that board
    ]);
    if (this.#rows || period !== this.#periods.chosen || asked.window !== this.#window) return; // another was chosen
    this.#play.standing = null;
    this.#frozen.show(page.frozen_at ?? null);
    this.#table.show(page.rows, { player, standing });
    root.style.setProperty("--rows", Math.max(FEWEST, page.rows.length));
    const title = periodTitle(this.#window, period);
    const players = page.total ? counted(page.rows.length, page.total) : "No scores";
    this.#note(`${players} · ${title}, ended`, page.total);
  }

  #note(text, total) {
    this.#find("#note").textContent = text;
    root.dataset.phase = total ? "rows" : "empty";
  }

  #nothing() {
    return Object.keys(this.#settings.actions).length ? "No scores yet. Be the first." : "No scores yet.";
  }
}

function counted(shown, total) {
  if (total > shown) return `Top ${shown} of ${total.toLocaleString("en")} players`;
  return total === 1 ? "1 player" : `${total} players`;
}
