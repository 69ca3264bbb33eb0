/**
 * A board as a client shows it: snapshots and deltas applied in the order of their versions.
 *
 * @typedef {{position: number, rank: number, player_id: string, name: string, score: number,
 *   tiebreakers?: number[], achieved_at: string}} Row
 * @typedef {{period: string, epoch: number, version: number, total: number, rows: Row[], frozen_at: string?}} View
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
  return message.type === "snapshot" ? view(message, message.rows, message.frozen_at) : afterDelta(shown, message);
}

function afterDelta(shown, delta) {
  if (shown?.period !== delta.period || shown.epoch !== delta.epoch || shown.version !== delta.from) return null;
  const replaced = new Set([...delta.gone, ...delta.rows.map((row) => row.player_id)]);
  const rows = [...shown.rows.filter((row) => !replaced.has(row.player_id)), ...delta.rows];
  return view(delta, rows, shown.frozen_at);
}

function view({ period, epoch, version, total }, rows, frozen_at = null) {
  return { period, epoch, version, total, rows: rows.toSorted((a, b) => a.position - b.position), frozen_at };
}

/** Versions are compared within an epoch only. That a board is frozen, or no longer, may be told at the same version. */
function isNewer(message, shown) {
  if (message.epoch !== shown.epoch) return message.epoch > shown.epoch;
  if (message.version !== shown.version) return message.version > shown.version;
  return message.type === "snapshot" && (message.frozen_at ?? null) !== shown.frozen_at;
}
