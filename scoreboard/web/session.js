/**
 * Where the tokens of a sign-in are kept.
 *
 * @typedef {{access_token: string, refresh_token?: string, expires_at?: number}} Session `expires_at` in milliseconds
 * @typedef {{load: () => Session | null, save: (session: Session | null) => void}} SessionStore
 */

const KEY = "scoreboard.session";
const RENEW_MS = 31_000;

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

/**
 * The tokens to use, renewed if they are about to end; `ask` sends a message and has its result.
 *
 * @param {SessionStore} store
 * @param {(type: string, fields: object) => Promise<any>} ask
 * @returns {Promise<Session | null>}
 */
export async function current(store, ask) {
  const session = store.load();
  if (!(session?.expires_at < Date.now() + RENEW_MS)) return session;
  try {
    const renewed = sessionOf(await ask("refresh", { refresh_token: session.refresh_token }));
    store.save(renewed);
    return renewed;
  } catch (error) {
    if (error.temporary) throw error;
    store.save(null);
    return null;
  }
}

/** The server refused the token and will close: come back with a renewed one, or none. @param {SessionStore} store */
export function doubted(store, error) {
  const session = store.load();
  if (!error.code.match(/unauthenticated|token_expired/) || !session) return;
  store.save(session.refresh_token ? { ...session, expires_at: 0 } : null);
}
