/** What tells a client, where it runs in a page, that somebody is there or that the network is. */

const ACTIVITY = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

/**
 * Call `act` whenever somebody does something, and `wake` when the page is seen again or the network is back.
 * Outside of a page nothing is heard.
 *
 * @param {{act: () => void, wake: () => void, signal: AbortSignal}} options `signal` ends it
 */
export function listen({ act, wake, signal }) {
  if (typeof document === "undefined") return;
  for (const kind of ACTIVITY) addEventListener(kind, act, { signal, passive: true });
  const seen = () => {
    if (!document.hidden) wake();
  };
  addEventListener("online", seen, { signal });
  document.addEventListener("visibilitychange", seen, { signal });
}
