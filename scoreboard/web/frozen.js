/** Tells that a board is frozen, and since when. */

const TIME = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });

/** Whether two boards are alike, however frozen. */
export function alike(one, other) {
  const lasting = (board) => JSON.stringify({ ...board, frozen_at: null, freezes_at: null });
  return one !== null && other !== null && lasting(one) === lasting(other);
}

/** An instant as the time of day, and the day where that is another one. @param {string} instant as RFC 3339 */
export function since(instant) {
  const at = new Date(instant);
  const today = at.toDateString() === new Date().toDateString();
  return `${today ? "" : `${DAY.format(at)}, `}${TIME.format(at)}`;
}

/** Shows a sign while the board is frozen. */
export class Frozen {
  #element;
  #root;
  #announcer;
  #since = null;

  /**
   * @param {HTMLElement} element with the text in `time`
   * @param {object} options
   * @param {HTMLElement} [options.root] has the class `frozen` meanwhile, for styles
   * @param {import("./announcer.js").Announcer} [options.announcer] told when that changes
   */
  constructor(element, { root = document.documentElement, announcer } = {}) {
    this.#element = element;
    this.#root = root;
    this.#announcer = announcer;
  }

  /** Since when it is frozen, null for not. @param {string | null} instant as RFC 3339 */
  set since(instant) {
    if (instant === this.#since) return;
    if (instant) this.#announcer?.say(`The board is frozen since ${since(instant)}.`);
    else this.#announcer?.say("The board is revealed.");
    this.show(instant);
  }

  /** The same of a board that was not shown before: what it is, is no news. @param {string | null} instant */
  show(instant) {
    this.#since = instant;
    this.#element.hidden = !instant;
    this.#root.classList.toggle("frozen", Boolean(instant));
    if (!instant) return;
    const time = this.#element.querySelector("time");
    time.dateTime = instant;
    time.textContent = since(instant);
  }
}
