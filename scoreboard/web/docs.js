/** The page that shows what can be asked of the server, made from its own description. */

import { element } from "./elements.js";
import { marked, operationBox } from "./operation.js";
import { Schemas } from "./schemas.js";
import { themeButton } from "./theme.js";

const find = (selector) => document.querySelector(selector);
const say = (text) => (find("#said").textContent = text);
const PREFIX = "/api/v1/";

themeButton(find("#theme"));
start();

async function start() {
  try {
    show(await described());
  } catch (error) {
    find("#why").textContent = error.message;
    find("#failed").hidden = false;
    document.documentElement.dataset.phase = "failed";
    throw error;
  }
  open();
  addEventListener("hashchange", open);
  find(".find input").oninput = ({ target }) => filter(target.value);
  document.documentElement.dataset.phase = "shown";
}

async function described() {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
}

function show(document_) {
  const schemas = new Schemas(document_);
  const root = new URL(".", location.href).href.replace(/\/$/, "");
  find("#version").textContent = `scoreboard ${document_.info.version}`;
  find("#base").textContent = root + PREFIX;
  find("#basics").hidden = false;
  const all = Object.entries(document_.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  for (const { name } of document_.tags) {
    const group = all.filter(({ operation }) => operation.tags.includes(name));
    const boxes = group.map((asked) => operationBox(shortened(asked), schemas, root + PREFIX, say));
    addPart(name, boxes, group.map(({ operation: { operationId }, method }) => [operationId, method]));
  }
  const live = document_["x-websocket"];
  addPart("WebSocket", socket(live, schemas, root.replace(/^http/, "ws") + live.path), []);
  for (const box of document.querySelectorAll("details")) {
    box.addEventListener("toggle", () => box.open && box.id !== location.hash.slice(1) && history.replaceState(null, "", `#${box.id}`));
  }
}

/** Every path has the same beginning. */
function shortened({ path, ...asked }) {
  return { ...asked, path: path.slice(PREFIX.length) };
}

function addPart(name, children, links) {
  const id = `group-${name.toLowerCase().replaceAll(" ", "-")}`; // operations have names of their own
  const title = element("h2", { id }, name);
  find("main").append(element("section", { class: "part", "aria-labelledby": id }, title, ...children));
  find("nav").append(
    element(
      "div",
      {},
      element("a", { href: `#${id}`, class: "group" }, name),
      element("ul", {}, ...links.map(([operation, method]) =>
        element("li", {}, element("a", { href: `#${operation}` }, operation.replaceAll("_", " "), element("small", {}, method))))),
    ),
  );
}

// The WebSocket

function socket({ subprotocols, toServer, fromServer }, schemas, address) {
  const own = toServer.filter(({ schema }) => schema);
  const shared = toServer.filter(({ operationId }) => operationId);
  return [
    element(
      "p",
      {},
      "Everything a player, spectator or official may do can be done over one WebSocket too, at ",
      element("code", {}, address),
      ", and boards are pushed as they change. Subprotocols: ",
      element("code", {}, subprotocols[0]),
      " (text, the default) and ",
      element("code", {}, subprotocols[1]),
      ". Every message has a ",
      element("code", {}, "type"),
      " and may have an ",
      element("code", {}, "id"),
      ", which comes back in its result.",
    ),
    element("h3", {}, "To the server"),
    messages(own, schemas),
    element(
      "p",
      {},
      "And these, with what the request has in its path, query and body as fields:",
    ),
    element("p", { class: "shared" }, ...shared.flatMap(({ type, operationId }) => [element("a", { href: `#${operationId}` }, type), " "])),
    element("h3", {}, "From the server"),
    messages(fromServer, schemas),
  ];
}

function messages(all, schemas) {
  return element(
    "dl",
    { class: "fields messages" },
    ...all.map(({ type, schema }) => {
      const found = schema ? schemas.resolve(schema) : { description: "A message was done; with what the request answers." };
      const names = Object.keys(found.properties ?? {}).filter((name) => name !== "type");
      const fields = names.flatMap((name) => [element("code", {}, name), (found.required ?? []).includes(name) ? " " : "? "]);
      return element(
        "div",
        {},
        element("dt", {}, element("code", {}, type)),
        element("dd", {}, ...fields, found.description && names.length + !schema ? element("p", {}, ...marked(found.description)) : null),
      );
    }),
  );
}

// Where one is

/** Open what the address names. */
function open() {
  const wanted = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!wanted) return;
  if (wanted.tagName === "DETAILS") {
    wanted.open = true;
    wanted.querySelector("summary").focus({ preventScroll: true });
  }
  wanted.scrollIntoView();
}

/** Show what has all these words in it. @param {string} text */
function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (node) => words.every((word) => `${node.id} ${node.querySelector("summary").textContent}`.toLowerCase().includes(word));
  for (const part of document.querySelectorAll(".part")) {
    const boxes = [...part.querySelectorAll("details")];
    for (const box of boxes) box.hidden = !has(box);
    part.hidden = boxes.length ? boxes.every(({ hidden }) => hidden) : words.length > 0;
  }
  for (const link of document.querySelectorAll("nav li a")) link.parentNode.hidden = document.getElementById(link.hash.slice(1)).hidden;
  find("#basics").hidden = words.length > 0;
  find("#none").hidden = [...document.querySelectorAll(".part")].some(({ hidden }) => !hidden);
}
