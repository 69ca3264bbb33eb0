/** The panel to play: sign in, start an action, score. */

import { formatGain, formatScore, ordinal, parseScore } from "./format.js";

const TOLD = {
  username_taken: "That name is taken, or looks like one that is.",
  unauthenticated: "Name and password do not match.",
  player_banned: "This player is banned.",
  rate_limited: "Too many attempts. Wait a moment and try again.",
  rule_rejected: "This score breaks a rule of the board and does not count.",
  action_token_expired: "That took too long. Start again.",
  action_token_invalid: "That start is not valid any more. Start again.",
  score_out_of_range: "This score is beyond what the board takes.",
  period_closed: "This board takes no scores right now.",
  disconnected: "The connection was lost. Try again when the board is live.",
  timeout: "The server did not answer in time. Try again.",
};

/** Connects the page's forms to a board. */
export class Play {
  #live;
  #store;
  #page;
  #panel;
  #board = null;
  /** The action that was started and not yet scored. */
  #started = null;

  /**
   * @param {import("./scoreboard.js").Scoreboard} live
   * @param {{stay: boolean}} store
   * @param {(selector: string) => HTMLElement} find in the page
   */
  constructor(live, store, find) {
    this.#live = live;
    this.#store = store;
    this.#panel = find("aside");
    const names = ["account", "player", "score", "said", "go", "action", "points", "ties", "me", "closed", "standing"];
    this.#page = Object.fromEntries(names.map((name) => [name, find(`#${name}`)]));
    this.#page.account.onsubmit = (event) => this.#signIn(event);
    this.#page.score.onsubmit = (event) => this.#press(event);
    this.#page.action.onchange = () => this.#choose();
    find("#leave").onclick = () => this.#signOut();
    live.addEventListener("player", () => this.#showPlayer());
    this.#showPlayer();
  }

  /** The board that is played on; null where none may be seen. */
  set board(board) {
    this.#board = board;
    const { action, ties } = this.#page;
    action.replaceChildren(...Object.keys(board?.actions ?? {}).map((name) => new Option(name)));
    action.closest("label").hidden = action.options.length < 2;
    ties.replaceChildren(...(board?.tiebreakers ?? []).map(({ name }) => tieInput(name)));
    if (board) this.#choose();
    this.#showPlayer();
  }

  /** Own position, rank and score as the server says. */
  set standing(standing) {
    const { standing: element } = this.#page;
    element.hidden = standing?.position == null;
    if (element.hidden) return;
    const [rank, score] = element.querySelectorAll("dd");
    rank.textContent = ordinal(standing.rank);
    score.textContent = formatScore(standing.score, this.#board?.decimals ?? 0);
  }

  #showPlayer() {
    const { player } = this.#live;
    const { account, player: here, score, me, closed } = this.#page;
    const playable = this.#page.action.options.length > 0;
    account.hidden = player !== null || (this.#board !== null && !playable);
    here.hidden = player === null;
    score.hidden = player === null || !playable;
    closed.hidden = playable || this.#board === null;
    this.#panel.hidden = player === null && !closed.hidden; // nothing to do there, for nobody
    me.textContent = player?.name ?? "";
    this.#restart();
  }

  // Signing in

  async #signIn(event) {
    event.preventDefault();
    const { account, go } = this.#page;
    const { username, password, stay } = account.elements;
    this.#store.stay = stay.checked;
    const name = username.value.trim();
    await this.#during(account, async () => {
      if (event.submitter?.value === "up") await this.#live.signUp(name, password.value);
      else await this.#live.signIn(name, password.value);
      account.reset();
      this.#say("");
      go.focus();
    });
  }

  async #signOut() {
    await this.#live.signOut().catch(() => {}); // the tokens are forgotten here in any case
    this.#say("");
  }

  // Scoring

  #restart() {
    this.#started = null;
    this.#label(`Start ${this.#page.action.value}`);
  }

  #choose() {
    const rule = this.#board.actions[this.#page.action.value];
    const { points } = this.#page;
    const most = rule?.max_score;
    points.value = formatScore(most ?? 10 ** this.#board.decimals, this.#board.decimals).replaceAll(",", "");
    points.inputMode = this.#board.decimals ? "decimal" : "numeric";
    points.labels[0].querySelector("small").textContent =
      most == null ? "" : `up to ${formatScore(most, this.#board.decimals)}`;
    this.#restart();
  }

  async #press(event) {
    event.preventDefault();
    const { go, score } = this.#page;
    if (go.ariaDisabled === "true") return;
    await this.#during(score, () => (this.#started ? this.#submit() : this.#start()));
  }

  async #start() {
    const action = this.#page.action.value;
    this.#started = await this.#live.call("action", { board: this.#board.board, action });
    this.#say("");
    await this.#countDown(this.#started.min_duration_ms);
    if (this.#started) this.#label("Score!");
  }

  /** What is scored sooner is held for review: the button waits. */
  async #countDown(duration) {
    const { go } = this.#page;
    const ends = performance.now() + duration;
    const filling = go.animate({ "--wait": [0, 1] }, { duration });
    while (performance.now() < ends) {
      this.#label(`${((ends - performance.now()) / 1000).toFixed(1)} s`, true);
      await Promise.race([filling.finished, new Promise((resolve) => setTimeout(resolve, 100))]);
    }
  }

  async #submit() {
    const { points, ties } = this.#page;
    const { decimals } = this.#board;
    const score = parseScore(points.value, decimals);
    const tiebreakers = [...ties.querySelectorAll("input")].map((input) => parseScore(input.value, 0));
    if (score === null || tiebreakers.includes(null)) {
      this.#say(decimals ? `Give a number with up to ${decimals} decimals.` : "Give a whole number.", "bad");
      points.focus();
      return;
    }
    const token = this.#started.action_token;
    const claim = { board: this.#board.board, action_token: token, score, ...(tiebreakers.length && { tiebreakers }) };
    this.#tell(await this.#live.submit(claim));
    this.#restart();
  }

  #tell({ status, applied, score, previous, rank }) {
    const { decimals } = this.#board;
    if (status === "held") this.#say("Held for review: it counts once a moderator has approved it.", "held");
    else if (status === "rejected") this.#say(TOLD.rule_rejected, "bad");
    else if (!applied) this.#say(`No change: your ${formatScore(score, decimals)} stands.`, "held");
    else {
      const gain = previous == null ? "" : ` (${formatGain(score - previous, decimals)})`;
      const place = rank == null ? "You have " : `You are ${ordinal(rank)} with `;
      this.#say(`${place}${formatScore(score, decimals)}${gain}.`, "good");
    }
  }

  // Words

  /** Run what a form does, and say in plain words what went wrong. */
  async #during(form, work) {
    form.ariaBusy = "true";
    try {
      await work();
    } catch (error) {
      if (!error.code) throw error;
      if (!error.temporary && this.#started) this.#restart();
      this.#say(TOLD[error.code] ?? error.message, "bad");
    } finally {
      form.ariaBusy = "false";
    }
  }

  #label(text, waiting = false) {
    this.#page.go.textContent = text;
    this.#page.go.ariaDisabled = String(waiting);
    this.#page.go.classList.toggle("armed", this.#started !== null && !waiting);
  }

  #say(text, kind = "") {
    this.#page.said.textContent = text;
    this.#page.said.dataset.kind = kind;
  }
}

function tieInput(name) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { value: "0", inputMode: "numeric", autocomplete: "off" });
  label.append(name, input);
  return label;
}
