/** A list that is read page by page, with one of its entries open beside it. */

import { element } from "./elements.js";

/** Shows entries as links; which one is open is told by the page's address. */
export class List {
  #section;
  #read;
  #entry;
  #entries = [];
  #next = null;
  #reading = 0;

  /** Called with what the server answered, after each reading. @type {(answer: any) => void} */
  onread = () => {};

  /**
   * @param {HTMLElement} section with a form of filters, a note, a list, and a button for more
   * @param {(query: object) => Promise<{entries: object[], next: string | null}>} read one page
   * @param {(entry: object) => {id: string, href: string, label: (Node | string)[], before?: Node}} entry how it is shown
   */
  constructor(section, read, entry) {
    this.#section = section;
    this.#read = read;
    this.#entry = entry;
    const filters = this.filters;
    let typing;
    filters.onchange = () => this.load();
    filters.oninput = () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.load(), 250);
    };
    filters.onsubmit = (event) => event.preventDefault();
    section.querySelector(".more").onclick = () => this.load({ more: true });
  }

  /** @returns {HTMLFormElement} */
  get filters() {
    return this.#section.querySelector(".filters");
  }

  /** The ids of what is shown, in order. */
  get ids() {
    return this.#entries.map((entry) => this.#entry(entry).id);
  }

  /** The id so many entries further down, the first where none is open. @param {string?} id @param {number} by */
  neighbour(id, by) {
    const { ids } = this;
    const at = ids.indexOf(id);
    return ids[at < 0 ? 0 : Math.min(Math.max(at + by, 0), ids.length - 1)];
  }

  /** Read the first page again, or one more. What was asked for later wins. */
  async load({ more = false } = {}) {
    const reading = ++this.#reading;
    const query = { ...Object.fromEntries(new FormData(this.filters)), limit: 50, after: more ? this.#next : null };
    const answer = await this.#read(query);
    if (reading !== this.#reading) return;
    this.#entries = more ? [...this.#entries, ...answer.entries] : answer.entries;
    this.#next = answer.next;
    this.#show();
    this.onread(answer);
  }

  /** Mark the entry that is open. @param {string | null} id */
  mark(id) {
    for (const link of this.#section.querySelectorAll("ol a")) {
      if (link.dataset.id === id) {
        link.ariaCurrent = "true";
        link.scrollIntoView({ block: "nearest" });
      } else link.removeAttribute("aria-current");
    }
  }

  #show() {
    const marked = this.#section.querySelector("ol a[aria-current]")?.dataset.id ?? null;
    const items = this.#entries.map((entry) => {
      const { id, href, label, before = null } = this.#entry(entry);
      return element("li", {}, before, element("a", { href, "data-id": id }, ...label));
    });
    this.#section.querySelector("ol").replaceChildren(...items);
    this.#section.querySelector(".note").textContent = items.length ? "" : "Nothing here.";
    this.#section.querySelector(".more").hidden = this.#next === null;
    this.mark(marked);
  }
}
