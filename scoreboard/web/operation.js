/** One operation of the API, as people read about it. */

import { button, element } from "./elements.js";

const TOLD = { bearer: "Bearer $token", key: "Key $key" };

/** @typedef {{method: string, path: string, operation: object}} Asked */

/**
 * An operation that opens to all there is to know of it.
 *
 * @param {Asked} asked @param {import("./schemas.js").Schemas} schemas
 * @param {string} base where addresses begin @param {(text: string) => void} say
 */
export function operationBox({ method, path, operation }, schemas, base, say) {
  const head = element(
    "summary",
    {},
    element("h3", {}, element("span", { class: `method ${method}` }, method.toUpperCase()), " ", pathText(path)),
    element("p", {}, operation.summary),
  );
  const box = element("details", { id: operation.operationId, class: "operation" }, head);
  box.addEventListener("toggle", () => box.open && fill(), { once: true });
  return box;

  /** Most are never opened. */
  function fill() {
    const body = operation.requestBody?.content["application/json"].schema;
    const line = curl({ method, path, operation }, schemas, base);
    box.append(
      element(
        "div",
        { class: "inside" },
        operation.description ? element("p", {}, ...marked(operation.description)) : null,
        element("p", { class: "who" }, element("b", {}, "Who: "), who(operation.security)),
        ...parameters(operation.parameters ?? [], schemas),
        ...(body ? [element("h4", {}, "Body"), fieldList(schemas.fields(body))] : []),
        element("h4", {}, "Try it"),
        code(line, "Command", say),
        ...answers(operation.responses, schemas),
        ...refusals(operation.responses, schemas),
        message({ operation, body }, schemas),
      ),
    );
  }
}

/** Who may ask, in words. @param {object[]} security */
export function who(security) {
  if (security.length === 0) return "anyone";
  const kinds = Object.assign({}, ...security);
  if (security.some((each) => Object.keys(each).length === 0)) return "anyone on a public board; else any player or API key";
  const players = kinds.bearer && (kinds.bearer.length ? kinds.bearer.map((role) => `${role}s`).join(" and ") : "players");
  const keys = kinds.key && (kinds.key.length ? `API keys with the scope ${kinds.key.join(", ")}` : "API keys");
  return [players, keys].filter(Boolean).join("; ");
}

/** Fields with what may stand in them. @param {{name: string, required: boolean, type: string, place?: string}[]} fields */
function fieldList(fields) {
  return element(
    "dl",
    { class: "fields" },
    ...fields.map(({ name, required, type, place }) =>
      element(
        "div",
        {},
        element("dt", {}, element("code", {}, name), required ? null : element("small", {}, " optional")),
        element("dd", {}, place ? `${place}: ${type}` : type),
      ),
    ),
  );
}

/** Text with what stands between backquotes as code. @param {string} text */
export function marked(text) {
  return text.split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
}

/** What to type, with a button that copies it, or what one reads. @param {(text: string) => void} [say] */
export function code(text, name, say) {
  const shown = element("pre", { tabindex: "0", "aria-label": name, role: "region" }, ...coloured(text));
  if (!say) return shown;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {
      getSelection().selectAllChildren(shown); // a page that is not secure may not copy
      say("Selected: copy it from there.");
    }
  };
  return element("div", { class: "code" }, shown, button("Copy", copy, { class: "quiet", "aria-label": `Copy: ${name}` }));
}

/** The command that asks for it. @param {Asked} asked */
export function curl({ method, path, operation }, schemas, base) {
  const values = (operation.parameters ?? []).filter(({ in: place }) => place === "path");
  const address = values.reduce(
    (text, { name, schema }) => text.replace(`{${name}}`, encodeURIComponent(schemas.example(schema, name))),
    path,
  );
  const lines = [`curl -sS${method === "get" || method === "post" ? "" : ` -X ${method.toUpperCase()}`} ${quoted(base + address)}`];
  const scheme = credentials(operation);
  if (scheme) lines.push(`-H "Authorization: ${TOLD[scheme]}"`);
  const body = operation.requestBody?.content["application/json"].schema;
  if (body) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(schemas.body(body)))}`);
  else if (method === "post") lines[0] = lines[0].replace("-sS", "-sS -X POST");
  return lines.join(" \\\n  ");
}

function credentials({ security }) {
  if (security.length === 0 || security.some((each) => Object.keys(each).length === 0)) return null;
  return "bearer" in security.at(-1) ? "bearer" : Object.keys(security[0])[0];
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function pathText(path) {
  const parts = path.split(/(\{\w+\}|\/)/).flatMap((part) => {
    if (part === "/") return ["/", element("wbr")];
    return part.startsWith("{") ? [element("var", {}, part)] : [part];
  });
  return element("code", { class: "path" }, ...parts);
}

function parameters(all, schemas) {
  if (all.length === 0) return [];
  const fields = all.map(({ name, in: place, required, schema }) => ({ name, required, type: schemas.words(schema), place }));
  return [element("h4", {}, "Parameters"), fieldList(fields)];
}

function answers(responses, schemas) {
  return Object.entries(responses)
    .filter(([status]) => status < 400)
    .flatMap(([status, { description, content }]) => {
      const schema = content?.["application/json"]?.schema;
      const found = schema && schemas.resolve(schema);
      const title = element("h4", {}, "Answer ", element("span", { class: "status" }, status), ` ${description}`);
      if (!schema || status === "202") return [title];
      return [
        title,
        found.description ? element("p", {}, ...marked(found.description)) : null,
        code(JSON.stringify(schemas.example(schema), null, 2), `Answer ${status}`),
      ].filter(Boolean);
    });
}

function refusals(responses, schemas) {
  const found = Object.entries(responses).filter(([status]) => status >= 400);
  const codes = ({ $ref }) => schemas.follow($ref).content["application/problem+json"].schema.allOf[1].properties.code.enum;
  return [
    element("h4", {}, "Refusals"),
    element(
      "dl",
      { class: "refusals" },
      ...found.map(([status, response]) =>
        element("div", {}, element("dt", {}, status), element("dd", {}, ...codes(response).map((each) => element("code", {}, each)))),
      ),
    ),
  ];
}

function message({ operation, body }, schemas) {
  const type = operation["x-websocket-message"];
  if (!type) return null;
  const named = (operation.parameters ?? []).filter(({ in: place }) => place !== "header");
  const wanted = named.filter(({ required }) => required).map(({ name, schema }) => [name, schemas.example(schema, name)]);
  const text = JSON.stringify({ type, id: 1, ...Object.fromEntries(wanted), ...(body ? schemas.body(body) : {}) });
  return element("p", { class: "message" }, element("b", {}, "Over WebSocket: "), element("code", {}, text));
}

/** JSON, and commands with JSON in them: names and values apart. */
function coloured(text) {
  return text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?)/).map((part, place) => {
    if (place % 2 === 0) return part;
    return element("span", { class: part.endsWith(":") ? "name" : "value" }, part);
  });
}
