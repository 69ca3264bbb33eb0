/** What the page's address asks for; choices are kept in it, so that it can be shared. */

const ADDRESS = new URL(location.href);

/** The board that the path names; undefined on the front page. @type {string | undefined} */
export const BOARD = named(ADDRESS.pathname);

/** @param {string} name of a parameter @returns {string | null} */
export function wanted(name) {
  return ADDRESS.searchParams.get(name);
}

/** Keep choices; what is null is left out. @param {Record<string, string | null>} choices */
export function remember(choices) {
  for (const [name, value] of Object.entries(choices)) {
    if (value === null) ADDRESS.searchParams.delete(name);
    else ADDRESS.searchParams.set(name, value);
  }
  history.replaceState(null, "", ADDRESS);
}

function named(path) {
  const board = path.match(/\/b\/([^/]+)$/)?.[1];
  return board && decodeURIComponent(board);
}
