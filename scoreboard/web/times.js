/** Times and spans as people read them. */

import { element } from "./elements.js";

const WHEN = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const STEPS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** An instant by how long ago it is, its date beside. @param {string | null} instant as RFC 3339 */
export function ago(instant) {
  if (instant === null) return null;
  const passed = new Date(instant) - Date.now();
  const [unit, length] = STEPS.find(([, each]) => Math.abs(passed) >= each) ?? STEPS.at(-1);
  const text = AGO.format(Math.round(passed / length), unit);
  return element("time", { datetime: instant, title: WHEN.format(new Date(instant)) }, text);
}

/** An instant as a date and time. @param {string} instant as RFC 3339 */
export function moment(instant) {
  return element("time", { datetime: instant }, WHEN.format(new Date(instant)));
}

/** A span in its largest unit. @param {number} ms */
export function span(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${+(ms / 1_000).toPrecision(3)} s`;
  if (ms < 3_600_000) return `${+(ms / 60_000).toPrecision(3)} min`;
  if (ms < 86_400_000) return `${+(ms / 3_600_000).toPrecision(3)} h`;
  return `${+(ms / 86_400_000).toPrecision(3)} d`;
}
