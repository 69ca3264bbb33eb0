/** Numbers as people read them. */

const POINT = ".";
const PLURAL = new Intl.PluralRules("en", { type: "ordinal" });
const SUFFIX = { one: "st", two: "nd", few: "rd", other: "th" };

/**
 * A score with its board's decimals; exact up to 2^53-1, as no division is made.
 *
 * @param {number} score a whole number
 * @param {number} decimals
 */
export function formatScore(score, decimals) {
  const digits = String(Math.abs(score)).padStart(decimals + 1, "0");
  const whole = BigInt(digits.slice(0, digits.length - decimals)).toLocaleString("en");
  const fraction = decimals ? POINT + digits.slice(-decimals) : "";
  return `${score < 0 ? "−" : ""}${whole}${fraction}`;
}

/** The same with its sign, also if that is a plus. */
export function formatGain(gain, decimals) {
  return `${gain > 0 ? "+" : ""}${formatScore(gain, decimals)}`;
}

/** What a person typed, as the whole number that the server keeps; null for none. */
export function parseScore(text, decimals) {
  const match = text.trim().match(/^([-−+]?)(\d*)(?:\.(\d*))?$/);
  if (!match || !(match[2] || match[3]) || (match[3] ?? "").length > decimals) return null;
  const score = Number(match[2] + (match[3] ?? "").padEnd(decimals, "0"));
  if (!Number.isSafeInteger(score)) return null;
  return match[1] && match[1] !== "+" && score ? -score : score;
}

/** 1st, 2nd, 3rd, 4th. */
export function ordinal(number) {
  return `${number.toLocaleString("en")}${SUFFIX[PLURAL.select(number)]}`;
}

/** A window's name in words. */
export function windowTitle(window) {
  return { all: "All time", day: "Today", week: "This week", month: "This month" }[window] ?? window;
}

const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });

/** A period in words: `2026-W48` is "Week 48, 2026". */
export function periodTitle(window, period) {
  if (window === "day") return DAY.format(new Date(`${period}T00:00:00Z`));
  if (window === "month") return MONTH.format(new Date(`${period}-01T00:00:00Z`));
  const [year, week] = period.split("-W");
  return window === "week" ? `Week ${Number(week)}, ${year}` : period;
}
