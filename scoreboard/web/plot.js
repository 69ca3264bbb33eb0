/** Plots of a player's submissions, one after the other, against what others do on the board. */

import { drawn, element, table } from "./elements.js";

const HEIGHT = 190;
const EDGE = { top: 12, right: 10, bottom: 10, left: 62 };
const SHAPES = {
  counted: "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0",
  held: "M0 -5L5 0L0 5L-5 0Z",
  rejected: "M-4 -4L4 4M-4 4L4 -4",
  voided: "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0",
};

/**
 * @typedef {{value: number, state: string, current: boolean}} Point
 *
 * A figure of points from left to right; a band shows the middle half of a sorted sample, a line its middle.
 *
 * @param {{title: string, points: Point[], sample: number[], format: (value: number) => string, isLog?: boolean,
 *   ticks?: number[]}} of
 */
export function plot({ title, points, sample, format, isLog = false, ticks }) {
  const summary = summed(points, sample, format);
  const caption = element("figcaption", {}, element("b", {}, title), " ", element("span", {}, summary));
  if (!points.length) return element("figure", {}, caption);
  const place = element("div", { class: "plot", role: "img", "aria-label": `${title}. ${summary}` });
  const rows = points.map(({ value, state }, index) => [String(index + 1), format(value), state]);
  const draw = () => place.replaceChildren(picture(place.clientWidth, points, sample, scale(points, sample, isLog), ticks, format));
  new ResizeObserver(draw).observe(place);
  return element(
    "figure",
    {},
    caption,
    place,
    element("details", {}, element("summary", {}, "As a table"), table(title, ["", "Value", "State"], rows)),
  );
}

/** What the shapes mean. */
export function legend() {
  const entries = ["counted", "held", "rejected", "voided"].map((state) =>
    element("li", {}, drawn("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true" }, mark(state)), state),
  );
  return element("ul", { class: "legend" }, ...entries, element("li", { class: "others" }, "middle half of the board"));
}

/** The value that a share of a sorted sample is not above. */
export function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

function summed(points, sample, format) {
  if (!points.length) return "Nothing yet.";
  const values = points.map(({ value }) => value).sort((one, other) => one - other);
  const own = `${values.length} shown, ${format(values[0])} to ${format(values.at(-1))}, middle ${format(quantile(values, 0.5))}`;
  if (!sample.length) return `${own}.`;
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => format(quantile(sample, share)));
  return `${own}; the board's middle is ${middle}, half of it from ${low} to ${high}.`;
}

/** From a value to a share of the height, 0 at the bottom. */
function scale(points, sample, isLog) {
  const bend = isLog ? (value) => Math.log10(Math.max(value, 1)) : (value) => value;
  const all = [...points.map(({ value }) => value), ...[0.25, 0.75].flatMap((share) => quantile(sample, share) ?? [])];
  const lowest = Math.min(...all, isLog ? Infinity : 0);
  const highest = Math.max(...all);
  const [from, to] = [bend(lowest), bend(highest)];
  const room = (to - from || 1) * 0.08;
  const bottom = isLog ? from - room : Math.min(from, from < 0 ? from - room : 0);
  return Object.assign((value) => (bend(value) - bottom) / (to + room - bottom), { lowest, highest });
}

function picture(width, points, sample, share, ticks, format) {
  const inner = Math.max(width - EDGE.left - EDGE.right, 1);
  const y = (value) => EDGE.top + (1 - share(value)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const x = (index) => EDGE.left + ((index + 0.5) / points.length) * inner;
  const svg = drawn("svg", { width: String(width), height: String(HEIGHT), "aria-hidden": "true" });
  for (const tick of shownTicks(share, ticks)) {
    svg.append(
      drawn("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick) }),
      drawn("text", { x: EDGE.left - 8, y: y(tick) + 4 }, format(tick)),
    );
  }
  if (sample.length) {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => y(quantile(sample, part)));
    svg.append(
      drawn("rect", { class: "band", x: EDGE.left, width: inner, y: high, height: Math.max(low - high, 2) }),
      drawn("line", { class: "middle", x1: EDGE.left, x2: width - EDGE.right, y1: middle, y2: middle }),
    );
  }
  const places = points.map(({ value }, index) => `${x(index)},${y(value)}`);
  svg.append(drawn("polyline", { class: "way", points: places.join(" ") }));
  points.forEach((point, index) => svg.append(placed(point, x(index), y(point.value), format)));
  return svg;
}

function placed({ value, state, current }, x, y, format) {
  const shape = drawn("g", { transform: `translate(${x} ${y})`, class: current ? "current" : null }, mark(state));
  if (current) shape.prepend(drawn("circle", { class: "ring", r: "9" }));
  shape.append(drawn("title", {}, `${format(value)}, ${state}`));
  return shape;
}

function mark(state) {
  return drawn("path", { class: `mark ${state}`, d: SHAPES[state] ?? SHAPES.counted });
}

/** Those given that lie in the range, at least one, else round numbers. */
function shownTicks({ lowest, highest }, ticks) {
  if (ticks) {
    const within = ticks.filter((tick) => tick >= lowest && tick <= highest);
    return within.length > 1 ? within : [...new Set([lowest, highest])];
  }
  const step = 10 ** Math.floor(Math.log10(highest - lowest || 1));
  const wide = [1, 2, 5, 10].map((factor) => factor * step).find((each) => (highest - lowest) / each <= 4);
  const first = Math.ceil(lowest / wide);
  return Array.from({ length: Math.floor(highest / wide) - first + 1 }, (_, index) => (first + index) * wide);
}
