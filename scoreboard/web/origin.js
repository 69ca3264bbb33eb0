/** Whether a page may connect: of a WebSocket that is refused, browsers do not tell why. */

/** Why the server takes no connection of this page's origin; null where it does, or does not say. @param {URL} address */
export async function refusal(address) {
  const { origin } = globalThis; // there is none in Node.js
  if (!origin || address.origin === origin) return null;
  try {
    const { code, detail } = await (await fetch(address)).json();
    return code === "origin_refused" ? detail : null;
  } catch {
    return null; // it does not answer at all
  }
}
