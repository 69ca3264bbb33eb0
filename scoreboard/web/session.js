/**
 * Where the tokens of a sign-in are kept.
 *
 * @typedef {{access_token: string, refresh_token?: string, expires_at?: number}} Session `expires_at` in milliseconds
 * @typedef {{load: () => Session | null, save: (session: Session | null) => void}} SessionStore
 */

const KEY = "scoreboard.session";

/** Until the page is left. @param {Session | null} session @returns {SessionStore} */
export function inMemory(session) {
  return { load: () => session, save: (next) => (session = next) };
}

/**
 * Until the tab is closed, or with `stay` until sign-out, for all tabs.
 *
 * @returns {SessionStore & {stay: boolean}}
 */
export function inBrowser() {
  try {
    sessionStorage.getItem(KEY);
  } catch {
    return { stay: false, ...inMemory(null) }; // a frame of another site may have no storage
  }
  return {
    stay: !sessionStorage.getItem(KEY) && localStorage.getItem(KEY) !== null,
    load() {
      return JSON.parse(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY));
    },
    save(session) {
      for (const storage of [sessionStorage, localStorage]) storage.removeItem(KEY);
      if (session) (this.stay ? localStorage : sessionStorage).setItem(KEY, JSON.stringify(session));
    },
  };
}

/** What the server answered to a sign-in or renewal, as it is kept. @returns {Session} */
export function sessionOf({ access_token, refresh_token, expires_in }) {
  return { access_token, refresh_token, expires_at: Date.now() + expires_in * 1000 };
}
