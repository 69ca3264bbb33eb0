/** Players as moderators know them: found, kept out, let in again. */

import { ask } from "./ask.js";
import { button, element, facts, person, table } from "./elements.js";
import { List } from "./list.js";
import { ago, moment } from "./times.js";

const number = (value) => (value === null ? "none" : value.toLocaleString("en"));

/** Finds players and changes what they may do. */
export class People {
  #desk;
  #section;
  #list;
  #file = null;
  #during;
  #say;

  /** As of the queue. */
  constructor(desk, section, { during, say }) {
    this.#desk = desk;
    this.#section = section;
    this.#during = during;
    this.#say = say;
    const read = async (query) => {
      const { players, next } = await desk.get("admin/players", query);
      return { entries: players, next };
    };
    this.#list = new List(section, read, entry);
  }

  /** Show all players, or only those of a status. @param {string} status */
  async load(status = this.#list.filters.elements.status.value) {
    this.#list.filters.elements.status.value = status;
    await this.#list.load();
  }

  /** Show a player, or none. @param {string | null} id */
  async open(id) {
    const detail = this.#section.querySelector(".detail");
    this.#section.classList.toggle("opened", id !== null);
    this.#list.mark(id);
    this.#file = null;
    if (id === null) {
      detail.replaceChildren(element("p", { class: "empty" }, "Choose a player."));
      return;
    }
    const file = await this.#desk.get(`admin/players/${encodeURIComponent(id)}`);
    this.#file = file;
    detail.replaceChildren(...this.#shown(file));
    detail.scrollTop = 0;
  }

  /** What the keys do; true where one was meant for here. @param {string} key */
  press(key) {
    const player = this.#file?.player;
    const does = {
      j: () => this.#step(1),
      k: () => this.#step(-1),
      b: player && (() => this.#change(player, "ban")),
      h: player && (() => this.#change(player, "hide")),
      l: player && (() => this.#change(player, "lift")),
      "/": () => this.#list.filters.elements.query.focus(),
      Escape: () => (location.hash = "#players"),
    }[key];
    does?.();
    return Boolean(does);
  }

  #step(by) {
    const next = this.#list.neighbour(this.#file?.player.id, by);
    if (next) location.hash = `#players/${encodeURIComponent(next)}`;
  }

  #shown({ player, sessions, standings, submissions, open_reviews }) {
    return [
      element("a", { class: "back", href: "#players" }, "← All players"),
      element("h2", {}, person(player.name), " ", element("span", { class: `tag ${player.status}` }, player.status)),
      this.#buttons(player),
      facts([
        ["Id", player.id],
        ["Username", player.username && person(player.username)],
        ["Role", player.role],
        ["Since", moment(player.created_at)],
        ["Banned until", player.banned_until && moment(player.banned_until)],
        ["Waiting", cases(open_reviews)],
      ]),
      element("h3", {}, "Standings"),
      table(
        "Standings",
        ["Board", "Period", "Score", "Achieved"],
        standings.map(({ board, window, period, score, achieved_at }) => [
          board,
          window === period ? window : `${window} ${period}`,
          number(score),
          ago(achieved_at) ?? "",
        ]),
      ),
      element("h3", {}, "Last submissions"),
      table(
        "Last submissions",
        ["When", "Board", "Action", "Score", "State"],
        submissions.map(({ at, board, action, score, state }) => [ago(at), board, action ?? "", number(score), state]),
      ),
      element("h3", {}, "Signed in"),
      table(
        "Sessions",
        ["Since", "Last used", "Address", "With"],
        sessions.map(({ created_at, last_used_at, address, user_agent }) => [
          ago(created_at),
          ago(last_used_at),
          address,
          user_agent,
        ]),
      ),
    ];
  }

  #buttons(player) {
    const acts = { active: ["ban", "hide"], hidden: ["ban", "lift"], banned: ["lift"], erased: [] }[player.status];
    const made = acts.map((act) => {
      const { word, look, key } = ACTS[act];
      return button(word, () => this.#change(player, act), { class: look, "aria-keyshortcuts": key });
    });
    const { role } = this.#desk.player;
    if (role === "admin" && player.role !== "admin" && player.status === "active") made.push(this.#appoints(player));
    return element("p", { class: "acts" }, ...made);
  }

  #appoints(player) {
    const makes = player.role === "player";
    const word = makes ? "Make moderator" : "No moderator any more";
    return button(word, () => this.#appoint(player, makes ? "moderator" : "player", word), { class: "quiet" });
  }

  async #appoint(player, role, word) {
    const text = "The player is signed out everywhere, and has the new role from the next sign-in on.";
    const answer = await ask({ title: `${word}: ${player.name}?`, text, action: word });
    if (!answer) return;
    await this.#during(async () => {
      await this.#desk.post(`admin/players/${encodeURIComponent(player.id)}/role`, { role, reason: answer.reason });
      this.#say(`${player.name} is a ${role} now.`, "good");
      await Promise.all([this.open(player.id), this.#list.load()]);
    });
  }

  async #change(player, act) {
    if (player.status === "erased") return;
    const { word, text, look, done } = ACTS[act];
    const answer = await ask({ title: `${word} ${player.name}?`, text, action: word, bad: look === "bad", ban: act === "ban" });
    if (!answer) return;
    await this.#during(async () => {
      const until = act === "ban" ? { until: answer.until } : {};
      await this.#desk.post(`admin/players/${encodeURIComponent(player.id)}/${act}`, { reason: answer.reason, ...until });
      this.#say(`${player.name} ${done}.`, "good");
      await Promise.all([this.open(player.id), this.#list.load()]);
    });
  }
}

const ACTS = {
  ban: {
    word: "Ban",
    text: "All scores are hidden, and the player is signed out everywhere.",
    look: "bad",
    key: "B",
    done: "is banned",
  },
  hide: {
    word: "Hide",
    text: "Nobody else sees the player any more. The player is not told and goes on as before.",
    look: "quiet",
    key: "H",
    done: "is hidden",
  },
  lift: { word: "Lift", text: "Everything is again as it was.", look: "main", key: "L", done: "is back" },
};

function entry(player) {
  const label = [
    element("b", {}, person(player.name)),
    player.status === "active" ? "" : element("span", { class: `tag ${player.status}` }, player.status),
    element("span", { class: "why" }, player.username ? `@${player.username} · ${player.id}` : player.id),
    player.role === "player" ? "" : element("span", { class: "when" }, player.role),
  ];
  return { id: player.id, href: `#players/${encodeURIComponent(player.id)}`, label };
}

function cases(ids) {
  if (!ids.length) return null;
  const links = ids.map((id, index) => element("a", { href: `#reviews/${id}` }, `case ${index + 1}`));
  return element("span", {}, ...links.flatMap((link) => [link, " "]));
}
