/** Elements made from data; whatever is text stays text. */

/**
 * An element with attributes and children; strings among the children are text, what is null is left out.
 *
 * @param {string} tag
 * @param {Object<string, string | boolean | null>} [attributes] true for one without a value, false and null for none
 * @param {...(Node | string | null)} children
 */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** A name, whichever way it is written. @param {string} name */
export function person(name) {
  return element("bdi", {}, name);
}

/** A button that does something. */
export function button(text, onclick, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.onclick = onclick;
  return made;
}

/** Facts as a list of terms. @param {[string, Node | string | null][]} rows those without a value are left out */
export function facts(rows) {
  const shown = rows.filter(([, value]) => value !== null && value !== "");
  return element(
    "dl",
    { class: "facts" },
    ...shown.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))),
  );
}

/** A table with a head. @param {string[]} head @param {(Node | string)[][]} rows @param {string} name */
export function table(name, head, rows) {
  const cells = (row, kind, attributes) => element("tr", {}, ...row.map((cell) => element(kind, attributes, cell)));
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
    element(
      "table",
      {},
      element("thead", {}, cells(head, "th", { scope: "col" })),
      element("tbody", {}, ...rows.map((row) => cells(row, "td", {}))),
    ),
  );
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}
