/** The page: which board is shown, and who sees it. */

import { BOARD, wanted } from "./address.js";
import { Announcer } from "./announcer.js";
import { Front } from "./front.js";
import { Frozen, alike } from "./frozen.js";
import { Play } from "./play.js";
import { HOME, Scoreboard } from "./scoreboard.js";
import { inBrowser } from "./session.js";
import { Shown } from "./shown.js";
import { Status } from "./status.js";
import { Table } from "./table.js";
import { themeButton } from "./theme.js";

const MOST = 100;
const LIMIT = Math.min(MOST, Math.max(1, Number.parseInt(wanted("limit")) || 10));
const root = document.documentElement;
const find = (selector) => document.querySelector(selector);

const store = inBrowser();
// Nobody touches a display.
const live = new Scoreboard({ session: store, staysAwake: root.dataset.display !== "page" });
const announcer = new Announcer(find("#announcer"));
const table = new Table(find("#board"));
const play = new Play(live, store, find);
const frozen = new Frozen(find("#frozen"), { announcer });
const shown = new Shown({ live, find, table, play, announcer, frozen, limit: LIMIT, refused: missing });
new Status(live, find("#status"), { announcer });
themeButton(find("#theme"));
root.style.setProperty("--rows", LIMIT);

addEventListener("resize", measureTitle);
const front = new Front(live, find("#front"));
let settings = null;

live.addEventListener("state", () => live.state === "active" && loadBoards());
live.addEventListener("player", loadBoards);

/** Which boards there are, and what the one shown is: at every connection and sign-in, as it may be another then. */
async function loadBoards() {
  let boards;
  try {
    ({ boards } = await live.call("boards"));
  } catch {
    return; // the next connection asks again
  }
  if (!BOARD && boards.length > 1 && root.dataset.display === "page") {
    showFront(boards);
    return;
  }
  const board = BOARD ? boards.find((each) => each.board === BOARD) : boards[0];
  front.clear();
  showBoards(boards, board);
  if (!board) {
    await explain();
  } else if (!alike(board, settings)) {
    showBoard(board);
  }
}

async function explain() {
  if (!BOARD) {
    missing("There is no board here yet.");
    return;
  }
  const error = await live.call("board", { board: BOARD }).catch((refusal) => refusal);
  if (error.code === "unauthenticated") missing("This board is not public. Sign in to watch it.", "private");
  else missing("There is no such board.");
}

function showFront(boards) {
  shown.clear();
  settings = play.board = null;
  find("#title").textContent = "Scoreboards";
  document.title = "Live scoreboards";
  front.show(boards);
  root.dataset.phase = "front";
}

function missing(why, phase = "missing") {
  shown.clear();
  settings = play.board = null;
  find("#title").textContent = BOARD ?? "Scoreboard";
  find("#note").textContent = why;
  root.dataset.phase = phase;
}

function showBoards(boards, current) {
  find("#boards").hidden = boards.length < 2 && (current !== undefined || boards.length === 0);
  const links = boards.map((board) => boardLink(board, board === current));
  if (boards.length > 1) links.unshift(frontLink());
  find("#boards").replaceChildren(...links);
  find("#boards [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
}

function frontLink() {
  const link = document.createElement("a");
  link.href = HOME;
  link.className = "all";
  link.ariaLabel = "All boards";
  link.textContent = "All";
  return link;
}

function boardLink({ board, title }, current) {
  const link = document.createElement("a");
  link.href = new URL(`b/${encodeURIComponent(board)}`, HOME);
  link.dir = "auto";
  link.textContent = title || board;
  if (current) link.ariaCurrent = "page";
  return link;
}

function showBoard(board) {
  settings = board;
  const title = board.title || board.board;
  find("#title").textContent = title;
  measureTitle();
  find("caption").textContent = `Top ${LIMIT} of ${title}`;
  document.title = `${title} – live scoreboard`;
  play.board = board;
  shown.show(board);
}

/** Whether the title is longer than the one line that a wall has for it. */
function measureTitle() {
  root.classList.remove("long");
  const { scrollWidth, clientWidth } = find("#title");
  root.classList.toggle("long", scrollWidth > clientWidth);
}
