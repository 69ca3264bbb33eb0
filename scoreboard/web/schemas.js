/** What a schema asks for, in words and as an example. */

const MAX_DEPTH = 3;
const TIME = "2026-11-23T12:00:00Z";

/** Reads the schemas of one OpenAPI document. */
export class Schemas {
  #document;
  #examples = new Map();

  /** @param {object} document */
  constructor(document) {
    this.#document = document;
    this.#collect(document);
  }

  /** A schema itself, where it is only referred to; what it is besides stays. @param {object} schema */
  resolve(schema) {
    const one = schema.anyOf?.filter(({ type }) => type !== "null") ?? schema.allOf;
    const only = one?.length === 1 || schema.allOf ? one[0] : null;
    if (only) return this.resolve({ ...schema, anyOf: undefined, allOf: undefined, ...only });
    if (!schema.$ref) return schema;
    const { $ref, ...besides } = schema;
    return this.resolve({ ...this.follow($ref), ...besides });
  }

  /** What stands at a place in the document. @param {string} ref */
  follow(ref) {
    const step = (found, name) => found[name.replaceAll("~1", "/").replaceAll("~0", "~")];
    return ref.slice(2).split("/").reduce(step, this.#document);
  }

  /** A value of that kind, taken from the examples that the document has. @param {object} schema @param {string} [name] */
  example(schema, name = "") {
    const { examples, enum: oneOf, ...found } = this.resolve(schema);
    if (examples) return examples[0];
    const type = found.anyOf?.[0].type ?? found.type;
    const known = this.#known(name, type);
    if (known !== undefined) return known;
    if (oneOf) return found.default ?? oneOf[0];
    if (found.default !== undefined && found.default !== null && type !== "object") return found.default;
    if (type === "array") return this.#list(found, name);
    if (type === "object") return this.#object(found);
    return { string: "…", integer: 1, number: 1, boolean: true }[type] ?? null;
  }

  /** The example of a body: what must be there; where nothing must, what has an example. @param {object} schema */
  body(schema) {
    const { properties, required = [] } = this.resolve(schema);
    const wanted = ([name, each]) => (required.length ? required.includes(name) : this.resolve(each).examples);
    return this.#those(Object.entries(properties).filter(wanted));
  }

  /** Fields, those of objects inside too. @returns {{name: string, required: boolean, type: string}[]} */
  fields(schema, before = "", depth = 0) {
    const { properties = {}, required = [] } = this.resolve(schema);
    return Object.entries(properties).flatMap(([name, each]) => {
      const field = { name: before + name, required: required.includes(name), type: this.words(each) };
      const [inner, path] = this.#inside(this.resolve(each), field.name);
      return depth < MAX_DEPTH && inner ? [field, ...this.fields(inner, `${path}.`, depth + 1)] : [field];
    });
  }

  /** What may stand there. @param {object} schema */
  words(schema) {
    const found = this.resolve(schema);
    const kind = this.#kind(found);
    const usual = found.default;
    const told = !["undefined", "object"].includes(typeof usual) && usual !== "" && Math.abs(usual) !== Number.MAX_SAFE_INTEGER;
    return [kind, ...bounds(found), ...(told ? [`${usual} unless told`] : [])].join(", ");
  }

  #kind({ type, enum: oneOf, anyOf, items, additionalProperties: values }) {
    if (oneOf) return oneOf.join(" | ");
    if (anyOf) return anyOf.map((each) => this.#kind(this.resolve(each))).join(" or ");
    if (type === "array") return items && Object.keys(items).length ? `list of ${this.#several(this.resolve(items))}` : "list";
    if (type === "object" && values && this.resolve(values).properties) return "objects by name";
    return { integer: "whole number", string: "text", boolean: "true or false", null: "null" }[type] ?? type ?? "anything";
  }

  #several(schema) {
    const kind = this.#kind(schema);
    return { "whole number": "whole numbers", text: "texts", object: "objects" }[kind] ?? kind;
  }

  #inside({ type, items, properties, additionalProperties: values }, name) {
    if (properties) return [{ properties, type }, name];
    if (type === "array" && this.resolve(items).properties) return [items, `${name}[]`];
    if (values && typeof values === "object" && this.resolve(values).properties) return [values, `${name}.*`];
    return [null, name];
  }

  #list({ items }, name) {
    if (!items || Object.keys(items).length === 0) return [];
    return [this.example(items, name.replace(/s$/, ""))];
  }

  /** What is always there, and what else tells something. */
  #object({ properties = {}, required = [] }) {
    const tells = ({ type, examples, default: usual }) => ["integer", "boolean"].includes(type) || examples || (type === "string" && usual);
    return this.#those(Object.entries(properties).filter(([name, each]) => required.includes(name) || tells(this.resolve(each))));
  }

  #those(entries) {
    return Object.fromEntries(entries.map(([name, each]) => [name, this.example(each, name)]));
  }

  /** What a field of that name is elsewhere in the document. */
  #known(name, type) {
    const example = /(^|_)(at|since|until)$/.test(name) ? TIME : this.#examples.get(name);
    const kinds = { string: "string", integer: "number", number: "number" };
    return example !== undefined && typeof example === kinds[type] && name !== "id" ? example : undefined;
  }

  #collect(part) {
    if (part === null || typeof part !== "object") return;
    for (const [name, each] of Object.entries(part.properties ?? {})) {
      const example = (each.examples ?? each.anyOf?.find(({ examples }) => examples)?.examples)?.[0];
      if (example !== undefined && !this.#examples.has(name)) this.#examples.set(name, example);
    }
    Object.values(part).forEach((each) => this.#collect(each));
  }
}

function bounds({ type, minimum, maximum, minLength, maxLength, minItems, maxItems, enum: oneOf }) {
  if (oneOf) return [];
  const of = { string: " characters", array: " of them" }[type] ?? "";
  const least = minimum ?? minLength ?? minItems;
  const most = maximum ?? maxLength ?? maxItems;
  if (most === Number.MAX_SAFE_INTEGER) return [];
  if (least === undefined && most === undefined) return [];
  if (least === undefined || (least === 0 && type === "string")) return [`up to ${most}${of}`];
  if (least === most) return [`${most}${of}`];
  return [most === undefined ? `at least ${least}${of}` : `${least} to ${most}${of}`];
}
