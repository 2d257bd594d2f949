// Tells Python of the browser's back and forward buttons, and when the page is there.
function report_history(model, view) {
  const report = () => {
    // Panel's location learns of it first. Were Python to tell it later, it would add to the
    // history, and by then the reader may have gone further back.
    for (const root of view.model.document.roots()) {
      if (root.type.endsWith("Location")) { root.search = window.location.search }
    }
    model.send_msg({search: window.location.search})
  }
  window.addEventListener("popstate", report)
  model.on("remove", () => window.removeEventListener("popstate", report))
  // Panel's location has by now told Python the address as it was asked for; what the page made
  // of it can be written there.
  window.setTimeout(() => model.send_msg({loaded: true}), 0)
}
