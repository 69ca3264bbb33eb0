/** Webhooks as an admin knows them: who is told of what, and whether it arrives. */

import { ask } from "./ask.js";
import { button, element, table } from "./elements.js";
import { ago } from "./times.js";

/** What can be told, and when it is. */
export const EVENTS = {
  "period.finalized": "a day, week, month or season is over",
  "submission.held": "a score waits for review",
  "submission.approved": "a held score counts",
  "submission.rejected": "a held score was dropped",
  "submission.voided": "a counted score was taken out",
  "player.banned": "a player was banned",
  "player.hidden": "a player was hidden",
  "player.lifted": "a player is back",
  "player.erased": "a player was erased",
};
const SHOWN = 20;
const LOOK_AGAIN_MS = 1_500;

/** Lists webhooks and makes new ones; a secret is shown when it is made, and never again. */
export class Webhooks {
  #desk;
  #section;
  #during;
  #say;
  #secret = null;

  /** As of the queue. */
  constructor(desk, section, { during, say }) {
    this.#desk = desk;
    this.#section = section;
    this.#during = during;
    this.#say = say;
    section.querySelector("fieldset").append(...Object.entries(EVENTS).map(choice));
    section.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      this.#create(event.target);
    };
  }

  /** The boards that can be chosen. @param {string[]} names */
  set boards(names) {
    const select = this.#section.querySelector("select");
    const options = names.map((name) => element("option", {}, name));
    select.replaceChildren(element("option", { value: "" }, "all"), ...options);
  }

  /** Show them as they are now. */
  async load() {
    const { webhooks } = await this.#desk.get("admin/webhooks");
    this.#section.querySelector("ol").replaceChildren(...webhooks.map((webhook) => this.#card(webhook)));
    this.#section.querySelector(".note").textContent = webhooks.length ? "" : "Nobody is told of anything yet.";
    this.#secret = null;
  }

  #card(webhook) {
    const { id, url, events, board, enabled, pending, failed } = webhook;
    const tags = { off: !enabled, [`${pending} waiting`]: pending, [`${failed} given up`]: failed };
    const shown = Object.entries(tags).filter(([, is]) => is);
    const deliveries = element("details", {}, element("summary", {}, "What was sent of late"));
    deliveries.ontoggle = () => deliveries.open && this.#during(() => this.#fill(deliveries, id));
    return element(
      "li",
      { class: "card", "data-webhook": id },
      element("h2", {}, url, ...shown.flatMap(([word]) => [" ", element("span", { class: "tag" }, word)])),
      element("p", {}, `${events.join(", ")} · ${board ?? "all boards"}`),
      this.#secret?.id === id ? secret(this.#secret.text) : null,
      this.#acts(webhook, deliveries),
      deliveries,
    );
  }

  #acts(webhook, deliveries) {
    const { enabled } = webhook;
    return element(
      "p",
      { class: "acts" },
      enabled ? button("Send a test", () => this.#test(webhook, deliveries), { class: "main" }) : null,
      button(enabled ? "Switch off" : "Switch on", () => this.#switch(webhook), { class: "quiet" }),
      button("New secret", () => this.#rotate(webhook), { class: "quiet" }),
      button("Delete", () => this.#remove(webhook), { class: "bad" }),
    );
  }

  async #fill(deliveries, id) {
    const path = `admin/webhooks/${encodeURIComponent(id)}/deliveries`;
    const found = (await this.#desk.get(path, { limit: SHOWN })).deliveries;
    const rows = found.map(({ event, at, state, attempts, error }) => [ago(at), event, state, String(attempts), error ?? ""]);
    const made = rows.length
      ? table("Deliveries", ["When", "Event", "State", "Tries", "Last trouble"], rows)
      : element("p", {}, "Nothing.");
    deliveries.replaceChildren(deliveries.firstElementChild, made);
  }

  async #create(form) {
    await this.#during(async () => {
      const { url, board } = form.elements;
      const events = new FormData(form).getAll("event");
      if (!events.length) {
        this.#say("Choose what is to be told.", "bad");
        return;
      }
      const made = await this.#desk.post("admin/webhooks", { url: url.value.trim(), board: board.value || null, events });
      form.reset();
      await this.#shown(made, "The webhook is made: give its secret to who receives it.");
    });
  }

  async #rotate({ id, url }) {
    const text = "The one it has signs beside the new one for a day.";
    if (!(await ask({ title: `A new secret for ${url}?`, text, action: "New secret", reasons: false }))) return;
    await this.#during(async () => {
      await this.#shown(await this.#desk.post(`admin/webhooks/${encodeURIComponent(id)}/secret`), "The secret is new.");
    });
  }

  async #shown({ id, secret: text }, done) {
    this.#secret = { id, text };
    await this.load();
    this.#section.querySelector(".secret").scrollIntoView({ block: "nearest" });
    this.#say(done, "good");
  }

  async #test({ id }, deliveries) {
    await this.#during(async () => {
      await this.#desk.post(`admin/webhooks/${encodeURIComponent(id)}/test`);
      this.#say("A test is on its way.", "good");
      deliveries.open = true;
      await this.#fill(deliveries, id);
      setTimeout(() => deliveries.isConnected && this.#during(() => this.#fill(deliveries, id)), LOOK_AGAIN_MS);
    });
  }

  async #switch({ id, url, events, board, enabled }) {
    await this.#during(async () => {
      await this.#desk.put(`admin/webhooks/${encodeURIComponent(id)}`, { url, events, board, enabled: !enabled });
      this.#say(enabled ? "It is told nothing any more." : "It is told again.", "good");
      await this.load();
    });
  }

  async #remove({ id, url }) {
    const text = "What it was still to be told is forgotten.";
    if (!(await ask({ title: `Delete ${url}?`, text, action: "Delete", bad: true, reasons: false }))) return;
    await this.#during(async () => {
      await this.#desk.remove(`admin/webhooks/${encodeURIComponent(id)}`);
      this.#say("It is deleted.", "good");
      await this.load();
    });
  }
}

function choice([name, when]) {
  const box = element("input", { type: "checkbox", name: "event", value: name });
  return element("label", { class: "check" }, box, element("span", {}, name, " ", element("small", {}, when)));
}

function secret(text) {
  return element("p", { class: "secret" }, "Shown this once: ", element("code", {}, text));
}
