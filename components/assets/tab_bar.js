export function render({model}) {
  const list = document.createElement("div")
  list.setAttribute("role", "tablist")
  list.setAttribute("aria-label", model.purpose)
  const mark = () => {
    for (const [place, tab] of [...list.children].entries()) {
      tab.setAttribute("aria-selected", place === model.active)
      tab.tabIndex = place === model.active ? 0 : -1
    }
  }
  const tabs = model.labels.map((label, place) => {
    const tab = document.createElement("button")
    tab.type = "button"
    tab.setAttribute("role", "tab")
    tab.textContent = label
    tab.addEventListener("click", () => { model.active = place })
    return tab
  })
  list.append(...tabs)
  list.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]
    if (step) {
      model.active = (model.active + step + tabs.length) % tabs.length
      tabs[model.active].focus()
      event.preventDefault()
    }
  })
  model.on("active", mark)
  mark()
  return list
}
