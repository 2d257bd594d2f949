// Tells Python of the browser's back and forward buttons. The component shows nothing.
export function render({model}) {
  const report = () => model.send_msg({search: window.location.search})
  window.addEventListener("popstate", report)
  // Panel's location has by now told Python the address as it was asked for; what the page made
  // of it can be written there.
  window.setTimeout(() => model.send_msg({loaded: true}), 0)
  model.on("remove", () => window.removeEventListener("popstate", report))
  const nothing = document.createElement("span")
  nothing.hidden = true
  return nothing
}
