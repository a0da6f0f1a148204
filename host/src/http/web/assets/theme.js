// Read before the page is drawn, so that it is never drawn in the wrong colours.
const kept = localStorage.getItem("stepwell-theme");
if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
