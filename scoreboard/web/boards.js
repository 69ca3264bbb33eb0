/** Boards as an admin knows them: frozen, to be frozen, revealed. */

import { ask } from "./ask.js";
import { button, element, person } from "./elements.js";
import { moment } from "./times.js";

/** Lists the boards; each can be frozen, now or at a time, and revealed. */
export class Boards {
  #desk;
  #section;
  #during;
  #say;

  /** As of the queue. */
  constructor(desk, section, { during, say }) {
    this.#desk = desk;
    this.#section = section;
    this.#during = during;
    this.#say = say;
  }

  /** Show them as they are now. */
  async load() {
    const { boards } = await this.#desk.get("boards");
    this.#section.querySelector("ol").replaceChildren(...boards.map((board) => this.#card(board)));
    this.#section.querySelector(".note").textContent = boards.length ? "" : "There is no board.";
  }

  #card(board) {
    const { title, frozen_at, freezes_at } = board;
    const href = `b/${encodeURIComponent(board.board)}`;
    return element(
      "li",
      { class: "card", "data-board": board.board },
      element("h2", {}, element("a", { href }, person(title || board.board)), " ", tag(board)),
      element("p", {}, ...told(frozen_at, freezes_at)),
      frozen_at || freezes_at ? this.#reveals(board) : this.#freezes(board),
    );
  }

  #freezes(board) {
    const form = element(
      "form",
      { class: "freeze" },
      button("Freeze now", () => this.#freeze(board, null), { class: "main" }),
      element("label", {}, "or at ", element("input", { type: "datetime-local", name: "at", required: true })),
      element("button", { class: "quiet" }, "Set"),
    );
    form.onsubmit = (event) => {
      event.preventDefault();
      this.#freeze(board, new Date(form.elements.at.value).toISOString());
    };
    return form;
  }

  #reveals(board) {
    const word = board.frozen_at ? "Reveal" : "Call off";
    return element("p", { class: "acts" }, button(word, () => this.#reveal(board, word), { class: "main" }));
  }

  async #freeze(board, at) {
    const name = board.title || board.board;
    const text = "Scores go on to count, and nobody sees what they change until the board is revealed.";
    const title = at ? `Freeze ${name} later?` : `Freeze ${name}?`;
    if (!(await ask({ title, text, action: "Freeze", reasons: false }))) return;
    await this.#change(board, "freeze", { at }, at ? `${name} will be frozen.` : `${name} is frozen.`);
  }

  async #reveal(board, word) {
    const name = board.title || board.board;
    const text = board.frozen_at ? "Everybody sees the board as it is now, at once." : "The board will not be frozen.";
    if (!(await ask({ title: `${word}: ${name}?`, text, action: word, reasons: false }))) return;
    await this.#change(board, "reveal", {}, board.frozen_at ? `${name} is revealed.` : `${name} will not be frozen.`);
  }

  async #change({ board }, act, body, done) {
    await this.#during(async () => {
      await this.#desk.post(`admin/boards/${encodeURIComponent(board)}/${act}`, body);
      this.#say(done, "good");
      await this.load();
    });
  }
}

function tag({ frozen_at, public: everybody }) {
  if (frozen_at) return element("span", { class: "tag frozen" }, "frozen");
  return everybody ? "" : element("span", { class: "tag" }, "not public");
}

function told(frozen_at, freezes_at) {
  if (frozen_at) return ["Frozen since ", moment(frozen_at), "."];
  return freezes_at ? ["Will be frozen at ", moment(freezes_at), "."] : ["Everybody sees what happens."];
}
