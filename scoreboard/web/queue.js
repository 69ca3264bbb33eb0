/** The review queue: what was held, why, and what becomes of it. */

import { ask } from "./ask.js";
import { button, element, facts, person, table } from "./elements.js";
import { List } from "./list.js";
import { legend, plot, quantile } from "./plot.js";
import { ago, moment, span } from "./times.js";

/** Each rule in words. */
export const RULES = {
  max_increment: "Too much at once",
  too_fast: "Too fast",
  rate: "Too much per minute",
  metronome: "Too regular for a person",
  repetition: "The same value again and again",
  jump: "Far beyond the player's own scores",
  outlier: "Far beyond the board's scores",
  shared_address: "Many accounts at one address",
};
const SPANS_MS = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000, 86_400_000];
const POWERS = Array.from({ length: 16 }, (_, power) => 10 ** power);

/** How much the highest score exceeds the middle where equal steps would flatten all others. */
const STEEP = 15;
const number = (value) => value.toLocaleString("en");

/** Lists cases and decides them. */
export class Queue {
  #desk;
  #section;
  #list;
  #chosen = new Set();
  #file = null;
  #during;
  #say;

  /**
   * @param {import("./desk.js").Desk} desk
   * @param {HTMLElement} section
   * @param {{during: (work: () => Promise<void>) => Promise<void>, say: (text: string, kind?: string) => void}} page
   */
  constructor(desk, section, { during, say }) {
    this.#desk = desk;
    this.#section = section;
    this.#during = during;
    this.#say = say;
    const read = async (query) => {
      const { reviews, next, open } = await desk.get("admin/reviews", query);
      return { entries: reviews, next, open };
    };
    this.#list = new List(section, read, (review) => this.#entry(review));
    this.#list.onread = () => this.#showChosen();
    const { rule } = this.#list.filters.elements;
    rule.append(...Object.entries(RULES).map(([value, text]) => new Option(text, value)));
    for (const each of section.querySelectorAll(".bulk button")) each.onclick = () => this.#decideChosen(each.value);
  }

  /** What the list can be narrowed to. @param {string[]} boards */
  set boards(boards) {
    const { board } = this.#list.filters.elements;
    board.replaceChildren(new Option("all", ""), ...boards.map((name) => new Option(name)));
  }

  /** Read the list again. */
  load() {
    return this.#list.load();
  }

  /** Show a case, or none. @param {string | null} id */
  async open(id) {
    const detail = this.#section.querySelector(".detail");
    this.#section.classList.toggle("opened", id !== null);
    this.#list.mark(id);
    this.#file = null;
    if (id === null) {
      detail.replaceChildren(element("p", { class: "empty" }, "Choose a case, or press J for the first."));
      return;
    }
    const file = await this.#desk.get(`admin/reviews/${encodeURIComponent(id)}`);
    this.#file = file;
    detail.replaceChildren(...this.#shown(file));
    detail.scrollTop = 0;
  }

  /** What the keys do; true where one was meant for here. @param {string} key */
  press(key) {
    const review = this.#file?.review;
    const does = {
      j: () => this.#step(1),
      k: () => this.#step(-1),
      a: review && (() => this.#approve(review)),
      r: review && (() => this.#reject(review, false)),
      b: review && (() => this.#reject(review, true)),
      c: review && (() => this.#claim(review)),
      n: review && (() => this.#section.querySelector("textarea")?.focus()),
      x: review && (() => this.#choose(review.submission_id, !this.#chosen.has(review.submission_id))),
      Escape: () => (location.hash = "#reviews"),
    }[key];
    does?.();
    return Boolean(does);
  }

  // The list

  #entry(review) {
    const id = review.submission_id;
    const choose = element("input", { type: "checkbox", "aria-label": `Choose the case of ${review.player_name}` });
    choose.checked = this.#chosen.has(id);
    choose.onchange = () => this.#choose(id, choose.checked);
    const rules = review.evidence.map(({ rule }) => RULES[rule] ?? rule).join(", ");
    const claimed = review.claimed_by ? element("span", { class: "tag" }, this.#who(review.claimed_by)) : null;
    const label = [
      element("b", {}, person(review.player_name)),
      element("span", { class: "score" }, number(review.score)),
      element("span", { class: "why" }, rules),
      element("span", { class: "when" }, review.board, " · ", ago(review.at)),
      ...(claimed ? [claimed] : []),
    ];
    return { id, href: `#reviews/${id}`, label, before: review.state === "open" ? choose : null };
  }

  #step(by) {
    const next = this.#list.neighbour(this.#file?.review.submission_id, by);
    if (next) location.hash = `#reviews/${next}`;
  }

  #choose(id, chosen) {
    this.#chosen[chosen ? "add" : "delete"](id);
    for (const box of this.#section.querySelectorAll("ol input")) {
      box.checked = this.#chosen.has(box.parentElement.querySelector("a").dataset.id);
    }
    this.#showChosen();
  }

  #showChosen() {
    const here = new Set(this.#list.ids);
    for (const id of this.#chosen) if (!here.has(id)) this.#chosen.delete(id);
    const bulk = this.#section.querySelector(".bulk");
    bulk.hidden = this.#chosen.size === 0;
    bulk.querySelector("b").textContent = `${this.#chosen.size} chosen`;
  }

  async #decideChosen(decision) {
    const ids = [...this.#chosen];
    const approving = decision === "approve";
    const cases = ids.length === 1 ? "one case" : `${ids.length} cases`;
    const answer = await ask({
      title: `${approving ? "Approve" : "Reject"} ${cases}?`,
      text: approving ? "Their scores count from the time they were made." : "Their scores are dropped.",
      action: approving ? "Approve" : "Reject",
      bad: !approving,
    });
    if (!answer) return;
    await this.#during(async () => {
      const body = { submission_ids: ids, decision, reason: answer.reason };
      const { reviews } = await this.#desk.post("admin/reviews/decide", body);
      const failed = reviews.filter(({ code }) => code);
      const done = `${reviews.length - failed.length} ${approving ? "approved" : "rejected"}`;
      this.#say(failed.length ? `${done}, ${failed.length} not: ${failed[0].title}` : `${done}.`, failed.length ? "bad" : "good");
      this.#chosen.clear();
      location.hash = "#reviews";
      await this.load();
    });
  }

  // One case

  #shown({ review, recent, sample }) {
    const isOpen = review.state === "open";
    const scores = recent.map(({ score, state, submission_id }) => point(score, state, submission_id, review));
    const intervals = recent
      .filter(({ interval_ms }) => interval_ms !== null)
      .map(({ interval_ms, state, submission_id }) => point(interval_ms, state, submission_id, review));
    return [
      element("a", { class: "back", href: "#reviews" }, "← All cases"),
      element(
        "h2",
        {},
        element("a", { href: `#players/${encodeURIComponent(review.player_id)}` }, person(review.player_name)),
        " ",
        element("span", { class: "tag" }, review.player_status),
      ),
      element("p", { class: "big" }, number(review.score), " ", element("small", {}, `on ${review.board}`)),
      isOpen ? this.#buttons(review) : decision(review),
      table("Evidence", ["Rule", "Effect", "What it saw"], review.evidence.map(evidenceRow)),
      legend(),
      plot({ title: "Scores", points: scores, sample: sample.scores, format: number, ...steps(scores, sample.scores) }),
      plot({
        title: "Time between scores",
        points: intervals,
        sample: sample.intervals_ms,
        format: span,
        isLog: true,
        ticks: SPANS_MS,
      }),
      facts([
        ["Scored", moment(review.at)],
        ["Action", review.action],
        ["Tie columns", review.tiebreakers.join(", ")],
        ["Address", review.address],
        ["Player", review.player_id],
        ["With it came", review.metadata && JSON.stringify(review.metadata)],
        ["Claimed", review.claimed_by && this.#who(review.claimed_by)],
      ]),
      this.#notes(review),
    ];
  }

  #buttons(review) {
    const mine = review.claimed_by === this.#desk.name;
    return element(
      "p",
      { class: "acts" },
      button("Approve", () => this.#approve(review), { class: "main", "aria-keyshortcuts": "A" }),
      button("Reject", () => this.#reject(review, false), { class: "bad", "aria-keyshortcuts": "R" }),
      button("Reject and ban", () => this.#reject(review, true), { class: "bad", "aria-keyshortcuts": "B" }),
      button(mine ? "Give back" : "Claim", () => this.#claim(review), { class: "quiet", "aria-keyshortcuts": "C" }),
    );
  }

  #notes(review) {
    const text = element("textarea", { rows: "2", maxlength: "2000", dir: "auto", "aria-label": "Note", required: true });
    const form = element("form", { class: "note-form" }, text, element("button", { class: "quiet" }, "Add note"));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.#during(async () => {
        await this.#desk.post(`admin/reviews/${review.submission_id}/notes`, { text: text.value });
        await this.open(review.submission_id);
      });
    };
    const notes = review.notes.map(({ at, by, text: said }) =>
      element("li", {}, element("b", {}, this.#who(by)), " ", ago(at), element("p", { dir: "auto" }, said)),
    );
    return element("div", { class: "notes" }, element("h3", {}, "Notes"), element("ul", {}, ...notes), form);
  }

  #who(name) {
    return name === this.#desk.name ? "you" : name;
  }

  // Deciding

  async #approve(review) {
    await this.#decide(review, "approve", {
      title: `Approve ${number(review.score)} of ${review.player_name}?`,
      text: "It counts from the time it was made, in the periods of that time.",
      action: "Approve",
    });
  }

  async #reject(review, ban) {
    await this.#decide(review, "reject", {
      title: ban ? `Reject, and ban ${review.player_name}?` : `Reject ${number(review.score)} of ${review.player_name}?`,
      text: ban ? "All scores of the player are hidden, and the player is signed out everywhere." : "The score is dropped.",
      action: ban ? "Reject and ban" : "Reject",
      bad: true,
      ban,
    });
  }

  async #decide(review, decision, question) {
    if (review.state !== "open") return;
    const answer = await ask(question);
    if (!answer) return;
    await this.#during(async () => {
      const banned = question.ban && { ban: true, banned_until: answer.until };
      await this.#desk.post(`admin/reviews/${review.submission_id}/${decision}`, { reason: answer.reason, ...banned });
      const { ids } = this.#list;
      const at = ids.indexOf(review.submission_id);
      const next = ids[at + 1] ?? ids[at - 1] ?? null;
      this.#say(`${decision === "approve" ? "Approved" : "Rejected"}: ${number(review.score)} of ${review.player_name}.`, "good");
      location.hash = next ? `#reviews/${next}` : "#reviews";
      await this.load();
    });
  }

  async #claim(review) {
    if (review.state !== "open") return;
    await this.#during(async () => {
      const path = `admin/reviews/${review.submission_id}/claim`;
      if (review.claimed_by === this.#desk.name) await this.#desk.remove(path);
      else await this.#desk.post(path);
      await Promise.all([this.open(review.submission_id), this.load()]);
    });
  }
}

function point(value, state, id, review) {
  return { value, state, current: id === review.submission_id };
}

/** Equal steps, or powers of ten where one score is far above the others. */
function steps(points, sample) {
  const all = [...points.map(({ value }) => value), ...sample].sort((one, other) => one - other);
  const isSteep = all[0] > 0 && Math.max(...points.map(({ value }) => value)) > STEEP * quantile(all, 0.5);
  return isSteep ? { isLog: true, ticks: POWERS } : {};
}

function evidenceRow({ rule, enforcement, facts: seen }) {
  const list = Object.entries(seen).map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "number" ? number(value) : value}`);
  return [RULES[rule] ?? rule, enforcement, list.join(" · ")];
}

function decision({ state, decided_by, decided_at, reason }) {
  return facts([
    ["Decision", state],
    ["By", decided_by],
    ["When", ago(decided_at)],
    ["Reason", reason],
  ]);
}
