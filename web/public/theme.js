try {
  const kept = localStorage.getItem("kaizen.theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch {
  // Storage is refused in this browser: the system's theme it is.
}
