/**
 * A board as a client shows it: snapshots and deltas applied in the order of their versions.
 *
 * @typedef {{position: number, rank: number, player_id: string, name: string, score: number,
 *   tiebreakers?: number[], achieved_at: string}} Row
 * @typedef {{period: string, epoch: number, version: number, total: number, rows: Row[]}} View
 */

/**
 * What is shown after a message.
 *
 * @param {View | null} shown
 * @param {object} message a `snapshot` or `delta`
 * @returns {View | null} `shown` itself where the message is not newer, null where it does not continue what is shown
 */
export function advance(shown, message) {
  if (shown?.period === message.period && !isNewer(message, shown)) return shown;
  return message.type === "snapshot" ? view(message, message.rows) : afterDelta(shown, message);
}

function afterDelta(shown, delta) {
  if (shown?.period !== delta.period || shown.epoch !== delta.epoch || shown.version !== delta.from) return null;
  const replaced = new Set([...delta.gone, ...delta.rows.map((row) => row.player_id)]);
  return view(delta, [...shown.rows.filter((row) => !replaced.has(row.player_id)), ...delta.rows]);
}

function view({ period, epoch, version, total }, rows) {
  return { period, epoch, version, total, rows: rows.toSorted((a, b) => a.position - b.position) };
}

/** Versions are compared within an epoch only. */
function isNewer(message, shown) {
  return message.epoch === shown.epoch ? message.version > shown.version : message.epoch > shown.epoch;
}
