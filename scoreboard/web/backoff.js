/** How long a client waits before it tries again: exponential with full jitter, never less than it was told. */

const LONGEST_MS = 20_000;
const SHORTEST_MS = 500;

/**
 * @param {number} attempt 0 for the first
 * @param {number} [toldMs] what the server asked for
 * @param {() => number} [random] from 0 to 1
 * @returns {number} milliseconds
 */
export function pause(attempt, toldMs = 0, random = Math.random) {
  const spread = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** attempt);
  return Math.max(toldMs, Math.min(LONGEST_MS, SHORTEST_MS + random() * spread));
}
