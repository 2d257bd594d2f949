// Runs before the first paint, in the document's head.
(() => {
  const root = document.documentElement
  const stored = () => {
    try { return window.localStorage.getItem("times-theme") } catch (error) { return null }
  }
  const preferred = window.matchMedia("(prefers-color-scheme: dark)")

  // The theme: the remembered choice, else the system's. panel-material-ui follows data-theme.
  // The cookie lets the server draw the next page in that theme from the start.
  window.times_set_theme = (theme, remember) => {
    root.dataset.theme = theme
    const path = root.dataset.cookiePath || "/"
    document.cookie = `times-theme=${theme}; path=${path}; max-age=31536000; samesite=lax`
    if (remember) {
      try { window.localStorage.setItem("times-theme", theme) } catch (error) { /* not kept */ }
    }
  }
  window.times_set_theme(stored() || (preferred.matches ? "dark" : "light"), false)
  preferred.addEventListener("change", () => {
    if (!stored()) { window.times_set_theme(preferred.matches ? "dark" : "light", false) }
  })

  // Panel pushes an address also when it is the current one (after the back button), which would
  // cut off the way forward; and what a page adds to its address by itself is no step of its user.
  const push = window.history.pushState.bind(window.history)
  let touched = false
  for (const event of ["pointerdown", "keydown"]) {
    window.addEventListener(event, () => { touched = true }, {capture: true, once: true})
  }
  window.history.pushState = (state, title, url) => {
    if (new URL(url, window.location.href).href === window.location.href) { return }
    touched ? push(state, title, url) : window.history.replaceState(state, title, url)
  }

  // Panel loads components through es-module-shims, which fetches and rewrites every module. Our
  // components import nothing, so the browser's own import does, compiles while it loads and
  // keeps the compiled code.
  window.importShim = (url) => import(new URL(url, document.baseURI).href)
  window.importShim.addImportMap = () => {}

  window.setTimeout(() => {
    const ready = window.Bokeh && window.Bokeh.documents.length > 0
    if (!ready) { document.querySelector(".times-late").hidden = false }
  }, 20000)
})()
