// Starts the window. A file of its own, because the policy admits no inline script.
//
// The theme is set before the first paint, so that a light desktop never flashes dark. The names
// and the key are those of src/state/theme.rs.
const THEMES = ["dark", "light", "contrast-dark", "contrast-light"];

function theme() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("calseta.theme");
  } catch {
    // Storage may be off; the desktop's own preference is a good answer then.
  }
  if (THEMES.includes(chosen)) return chosen;
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  const contrast = matchMedia("(prefers-contrast: more)").matches;
  return (contrast ? "contrast-" : "") + (light ? "light" : "dark");
}

document.documentElement.dataset.theme = theme();

try {
  const { default: init } = await import("/calseta_ui.js");
  await init({ module_or_path: "/calseta_ui_bg.wasm" });
} catch (error) {
  const place = document.getElementById("boot");
  if (place) place.textContent = `The window could not start: ${error}. Reload to try again.`;
  throw error;
}
