/** The audit trail: who did what to whom. */

import { element } from "./elements.js";
import { moment } from "./times.js";

/** Searches the trail, newest first. */
export class Trail {
  #desk;
  #section;
  #next = null;

  /** As of the queue. */
  constructor(desk, section, { during }) {
    this.#desk = desk;
    this.#section = section;
    section.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      during(() => this.load());
    };
    section.querySelector(".more").onclick = () => during(() => this.load({ more: true }));
  }

  /** Read the newest entries, or older ones. */
  async load({ more = false } = {}) {
    const { actor, act, subject, since } = Object.fromEntries(new FormData(this.#section.querySelector("form")));
    const from = since && new Date(since).toISOString();
    const query = { actor: actor.trim(), act: act.trim(), subject: subject.trim(), since: from, limit: 50 };
    const { entries, next } = await this.#desk.get("admin/audit", { ...query, cursor: more ? this.#next : null });
    this.#next = next;
    const body = this.#section.querySelector("tbody");
    body[more ? "append" : "replaceChildren"](...entries.map(row));
    this.#section.querySelector(".note").textContent = body.children.length ? "" : "Nothing of that kind.";
    this.#section.querySelector(".more").hidden = next === null;
  }
}

function row({ at, actor, act, subject, detail }) {
  const more = Object.entries(detail ?? {}).map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return element(
    "tr",
    {},
    element("td", {}, moment(at)),
    element("td", {}, actor ? known(actor) : "the server"),
    element("td", {}, act),
    element("td", {}, known(subject)),
    element("td", { dir: "auto" }, more.join(" · ")),
  );
}

/** An id, as a link where it is a player's. */
function known(id) {
  const player = id.match(/^(?:player:)?(p_\w+)$/)?.[1];
  return player ? element("a", { href: `#players/${player}` }, id) : id;
}
