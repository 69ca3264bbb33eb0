// Before the first paint, so that nothing flashes: the theme, which is the address's, or the one chosen here before, else
// the system's; and what the page is shown as: a page, a wall display, embedded in another page, or over a video.
{
  const asked = new URLSearchParams(location.search);
  const { dataset } = document.documentElement;
  const oneOf = (name, ...known) => known.find((each) => each === asked.get(name));
  const chosen = () => {
    try {
      return localStorage.getItem("scoreboard.theme");
    } catch {
      return null; // a frame of another site may have no storage
    }
  };
  dataset.display = oneOf("display", "wall", "embed", "overlay") ?? "page";
  dataset.theme = oneOf("theme", "light", "dark") ?? (dataset.display === "overlay" ? "dark" : chosen()) ?? "";
}
