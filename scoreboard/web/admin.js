/** The page for moderators: who is signed in, which part is shown, and what the keys do. */

import { Boards } from "./boards.js";
import { Desk } from "./desk.js";
import { element } from "./elements.js";
import { People } from "./people.js";
import { Queue } from "./queue.js";
import { inBrowser } from "./session.js";
import { themeButton } from "./theme.js";
import { Trail } from "./trail.js";
import { Webhooks } from "./webhooks.js";

const LOOK_MS = 5_000;
const TOLD = {
  unauthenticated: "Name and password do not match.",
  disconnected: "The server cannot be reached. Try again in a moment.",
};

const root = document.documentElement;
const find = (selector) => document.querySelector(selector);
const store = inBrowser();
const desk = new Desk(store);
const page = { during, say };
const queue = new Queue(desk, find("#reviews"), page);
const people = new People(desk, find("#people"), page);
const boards = new Boards(desk, find("#boards"), page);
const webhooks = new Webhooks(desk, find("#webhooks"), page);
const trail = new Trail(desk, find("#trail"), page);

/** Each part by the word that its address begins with. */
const PARTS = {
  reviews: { section: "#reviews", load: () => queue.load(), open: (id) => queue.open(id), press: (key) => queue.press(key) },
  players: { section: "#people", load: () => people.load(""), open: (id) => people.open(id), press: (key) => people.press(key) },
  bans: { section: "#people", load: () => people.load("banned"), open: (id) => people.open(id), press: (key) => people.press(key) },
  boards: { section: "#boards", load: () => boards.load(), open: async () => {}, press: () => false },
  webhooks: { section: "#webhooks", load: () => webhooks.load(), open: async () => {}, press: () => false },
  audit: { section: "#trail", load: () => trail.load(), open: async () => {}, press: () => false },
};
let part = null;
let waiting = null;

// Where we are

async function show() {
  if (!desk.player) return;
  const [name, id] = location.hash.slice(1).split("/");
  const wanted = name in PARTS ? name : "reviews";
  // A player that is opened among the banned stays among them.
  const next = wanted === "players" && part === "bans" && id ? "bans" : wanted;
  const changed = next !== part;
  part = next;
  for (const { section } of Object.values(PARTS)) find(section).hidden = section !== PARTS[part].section;
  for (const link of document.querySelectorAll("#tabs a")) {
    if (link.hash === `#${part}`) link.ariaCurrent = "page";
    else link.removeAttribute("aria-current");
    if (link.ariaCurrent) link.scrollIntoView({ inline: "nearest", block: "nearest" });
  }
  await during(async () => {
    await Promise.all([changed && PARTS[part].load(), PARTS[part].open(id ? decodeURIComponent(id) : null)]);
  });
}

async function showPlayer() {
  const { player } = desk;
  root.dataset.phase = player ? "in" : "out";
  part = null;
  find("#account").hidden = player !== null;
  for (const selector of ["#who", "#tabs"]) find(selector).hidden = player === null;
  for (const { section } of Object.values(PARTS)) find(section).hidden = true;
  find("#who bdi").textContent = player?.name ?? "";
  for (const href of ["#boards", "#webhooks", "#audit"]) find(`#tabs a[href="${href}"]`).hidden = player?.role !== "admin";
  find("#counts").hidden = player === null;
  if (player) await Promise.all([show(), look(), readBoards()]);
  else find("#account input").focus();
}

async function readBoards() {
  const { boards } = await desk.get("boards");
  queue.boards = webhooks.boards = boards.map(({ board }) => board);
}

// Live counts

async function look() {
  if (!desk.player || document.hidden) return;
  const overview = await desk.get("admin/overview").catch(() => null);
  find("#counts").classList.toggle("stale", overview === null);
  if (!overview) return;
  const { open_reviews, sockets, players, accepted, held } = overview;
  const shown = { waiting: open_reviews, sockets, "signed in": players, scores: accepted, held };
  find("#counts").replaceChildren(
    ...Object.entries(shown).map(([term, count]) =>
      element("div", {}, element("dt", {}, term), element("dd", {}, count.toLocaleString("en"))),
    ),
  );
  document.title = open_reviews ? `(${open_reviews}) Moderation` : "Moderation";
  if (waiting !== null && waiting !== open_reviews && part === "reviews") await queue.load().catch(() => {});
  waiting = open_reviews;
}

// Words

async function during(work) {
  find("#main").ariaBusy = "true";
  try {
    await work();
  } catch (error) {
    if (!error.code) throw error;
    say(desk.player ? error.message : (TOLD[error.code] ?? error.message), "bad");
  } finally {
    find("#main").ariaBusy = "false";
  }
}

function say(text, kind = "") {
  const said = find("#said");
  said.textContent = text;
  said.dataset.kind = kind;
}

// Hands

find("#account").onsubmit = (event) => {
  event.preventDefault();
  const { username, password, stay } = event.target.elements;
  store.stay = stay.checked;
  during(async () => {
    say("");
    await desk.signIn(username.value.trim(), password.value);
    event.target.reset();
  });
};
find("#who button").onclick = () => desk.signOut();
find("#help").onclick = () => find("#keys").showModal();
find("#keys button").onclick = () => find("#keys").close();
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !desk.player || document.querySelector("dialog[open]")) return;
  // What was typed into last may still be told when its dialog is closed.
  const typing = event.target.matches?.("input:not([type=checkbox]), textarea, select") && event.target.checkVisibility();
  if (typing && event.key === "Escape") event.target.blur();
  if (typing) return;
  if (event.key === "?") find("#keys").showModal();
  else if (!PARTS[part]?.press(event.key.length === 1 ? event.key.toLowerCase() : event.key)) return;
  event.preventDefault();
});
addEventListener("hashchange", show);
desk.addEventListener("player", showPlayer);
themeButton(find("#theme"));
setInterval(look, LOOK_MS);
during(() => desk.resume());
