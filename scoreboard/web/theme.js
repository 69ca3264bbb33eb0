/** The theme: the system's, until another is chosen. */

const DARK = matchMedia("(prefers-color-scheme: dark)");
const ROOT = document.documentElement;

/** Have a button change the theme, for this page and those opened later. @param {HTMLButtonElement} button */
export function themeButton(button) {
  const isDark = () => (ROOT.dataset.theme ? ROOT.dataset.theme === "dark" : DARK.matches);
  const name = () => (button.ariaLabel = `Use the ${isDark() ? "light" : "dark"} theme`);
  button.onclick = () => {
    ROOT.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("scoreboard.theme", ROOT.dataset.theme);
    name();
  };
  DARK.addEventListener("change", name);
  name();
}
