// The legend: every text is set through textContent, so markup in data stays text.
export function render({model}) {
  const list = document.createElement("ul")
  const heading = () => {
    const row = document.createElement("li")
    row.className = "heading"
    row.textContent = model.heading
    return row
  }
  const entry = (item) => {
    const row = document.createElement("li")
    const button = document.createElement(model.can_open ? "button" : "div")
    button.className = "entry"
    if (model.can_open) { button.type = "button" }
    button.title = model.hint ? `${item.title || item.label} – ${model.hint}` : item.label
    const swatch = document.createElement("span")
    swatch.className = "swatch"
    swatch.style.background = item.colour
    const label = document.createElement("span")
    label.className = "label"
    label.textContent = item.label
    const amount = document.createElement("span")
    amount.className = "amount"
    amount.textContent = item.amount || ""
    button.append(swatch, label, amount)
    if (model.can_open) {
      button.addEventListener("click", () => model.send_msg({open: item.code}))
    }
    // A group that is not in the picture, but can be.
    if (item.off !== undefined) {
      button.classList.toggle("off", item.off)
      button.setAttribute("aria-pressed", String(!item.off))
    }
    row.append(button)
    return row
  }
  const key = (item) => {
    const row = document.createElement("li")
    row.className = "key"
    const line = document.createElement("span")
    line.className = `line ${item.dash}`
    const label = document.createElement("span")
    label.className = "label"
    label.textContent = item.label
    row.append(line, label)
    return row
  }
  const update = () => {
    list.replaceChildren(heading(), ...model.groups.map(entry), ...model.line_keys.map(key))
  }
  model.on(["groups", "line_keys", "heading"], update)
  update()
  return list
}
