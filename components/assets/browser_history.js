// Tells Python of the browser's back and forward buttons, and when the page is there.
function report_history(model) {
  const report = () => model.send_msg({search: window.location.search})
  window.addEventListener("popstate", report)
  model.on("remove", () => window.removeEventListener("popstate", report))
  // Panel's location has by now told Python the address as it was asked for; what the page made
  // of it can be written there.
  window.setTimeout(() => model.send_msg({loaded: true}), 0)
}
