/** Movement, for those who have not asked for less of it. */

const LESS = matchMedia("(prefers-reduced-motion: reduce)");
const GLIDE = { duration: 650, easing: "cubic-bezier(.22, .9, .24, 1)" };
const COUNT_MS = 700;

/**
 * Change the page, and let elements glide from where they were to where they are now.
 *
 * @param {Iterable<HTMLElement>} elements
 * @param {() => void} change
 */
export function glide(elements, change) {
  const before = new Map([...elements].map((element) => [element, element.getBoundingClientRect().top]));
  change();
  if (LESS.matches) return;
  for (const [element, top] of before) {
    for (const running of element.getAnimations()) if (running.id === "glide") running.cancel();
    const distance = top - element.getBoundingClientRect().top;
    if (!element.isConnected || Math.abs(distance) < 1) continue;
    element.classList.toggle("rising", distance > 0);
    const frames = [{ transform: `translateY(${distance}px)` }, { transform: "none" }];
    const gliding = element.animate(frames, { ...GLIDE, id: "glide" });
    gliding.onfinish = () => element.classList.remove("rising");
  }
}

/** Let something new come in. */
export function appear(element) {
  if (LESS.matches) return;
  element.animate([{ opacity: 0, transform: "translateY(12px)" }, {}], { ...GLIDE, id: "appear" });
}

/** Run `show` from 0 to 1 over a moment; the end is always shown. @param {(share: number) => void} show */
export function count(show) {
  const began = performance.now();
  const step = (now) => {
    const share = LESS.matches ? 1 : Math.min(1, (now - began) / COUNT_MS);
    if (show(1 - (1 - share) ** 3) !== false && share < 1) requestAnimationFrame(step);
  };
  step(began);
}
