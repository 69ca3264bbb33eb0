// Before the first paint, so that nothing flashes: the theme chosen here before, else the system's.
document.documentElement.dataset.theme = localStorage.getItem("scoreboard.theme") ?? "";
