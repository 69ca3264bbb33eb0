/** The page: which board is shown, and who sees it. */

import { Announcer } from "./announcer.js";
import { windowTitle } from "./format.js";
import { Play } from "./play.js";
import { HOME, Scoreboard } from "./scoreboard.js";
import { inBrowser } from "./session.js";
import { Status } from "./status.js";
import { Table } from "./table.js";

const LIMIT = 10;
const find = (selector) => document.querySelector(selector);
const address = new URL(location.href);
const named = address.pathname.match(/\/b\/([^/]+)$/)?.[1];
const wanted = named && decodeURIComponent(named);

const store = inBrowser();
const live = new Scoreboard({ session: store });
const announcer = new Announcer(find("#announcer"));
const table = new Table(find("#board"));
const play = new Play(live, store, find);
new Status(live, find("#status"), announcer);

let settings = null;
let rows = null;
let mine = null;

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
  const board = wanted ? boards.find((each) => each.board === wanted) : boards[0];
  showBoards(boards, board);
  if (!board) {
    await explain();
  } else if (JSON.stringify(board) !== JSON.stringify(settings)) {
    showBoard(board);
  }
}

async function explain() {
  if (!wanted) {
    missing("There is no board here yet.");
    return;
  }
  const error = await live.call("board", { board: wanted }).catch((refusal) => refusal);
  if (error.code === "unauthenticated") missing("This board is not public. Sign in to watch it.", "private");
  else missing("There is no such board.");
}

function missing(why, kind = "missing") {
  leave();
  settings = play.board = null;
  table.clear();
  find("#title").textContent = wanted ?? "Scoreboard";
  find("#note").textContent = why;
  phase(kind);
}

function showBoards(boards, current) {
  find("#boards").hidden = boards.length < 2 && (current !== undefined || boards.length === 0);
  find("#boards").replaceChildren(...boards.map((board) => boardLink(board, board === current)));
  find("#boards [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
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
  find("caption").textContent = `Top ${LIMIT} of ${title}`;
  document.title = `${title} – live scoreboard`;
  play.board = board;
  const asked = address.searchParams.get("window");
  follow(board.windows.includes(asked) ? asked : board.windows[0]);
}

function showWindows(current) {
  find("#windows").hidden = settings.windows.length < 2;
  find("#windows").replaceChildren(...settings.windows.map((window) => windowButton(window, window === current)));
}

function windowButton(window, current) {
  const button = document.createElement("button");
  button.textContent = windowTitle(window);
  button.ariaPressed = String(current);
  button.onclick = () => {
    address.searchParams.set("window", window);
    history.replaceState(null, "", address);
    follow(window);
    find("#windows [aria-pressed=true]").focus();
  };
  return button;
}

function leave() {
  rows?.close();
  mine?.close();
  rows = mine = null;
}

/** Follow one window of the board, and the own standing in it. */
function follow(window) {
  leave();
  showWindows(window);
  table.settings = settings;
  announcer.reset();
  rows = live.subscribe(settings.board, { window, limit: Math.min(LIMIT, settings.live_limit) });
  mine = live.subscribe(settings.board, { window, me: true });
  rows.addEventListener("change", show);
  rows.addEventListener("error", () => missing(rows.error.message));
  mine.addEventListener("change", show);
  show();
}

function show() {
  const { player } = live;
  play.standing = mine.standing;
  if (rows.version === undefined) return;
  // Nothing is pushed while the shown rows stay as they are, so the own position may know of more players.
  const total = Math.max(rows.total, mine.standing?.position ?? 0);
  table.show(rows.rows, { player, standing: mine.standing });
  announcer.board(rows.rows[0], mine.standing?.rank, settings.decimals);
  phase(total ? "rows" : "empty");
  find("#note").textContent = total ? counted(rows.rows.length, total) : nothing();
}

function nothing() {
  return Object.keys(settings.actions).length ? "No scores yet. Be the first." : "No scores yet.";
}

function counted(shown, total) {
  if (total > shown) return `Top ${shown} of ${total.toLocaleString("en")} players`;
  return total === 1 ? "1 player" : `${total} players`;
}

function phase(name) {
  document.documentElement.dataset.phase = name;
}

// The theme

const DARK = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : DARK.matches);
const nameTheme = () => (find("#theme").ariaLabel = `Use the ${isDark() ? "light" : "dark"} theme`);
find("#theme").onclick = () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("scoreboard.theme", root.dataset.theme);
  nameTheme();
};
DARK.onchange = nameTheme;
nameTheme();
