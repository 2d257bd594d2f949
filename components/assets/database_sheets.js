// The sheets of the editor as tabs: open, add, close, rename by a double click or F2.
export function render({model}) {
  const bar = document.createElement("div")
  bar.className = "bar"
  const list = document.createElement("div")
  list.setAttribute("role", "tablist")
  list.setAttribute("aria-label", "Queries")
  const add = document.createElement("button")
  add.type = "button"
  add.className = "add"
  add.textContent = "+"
  add.title = "New query (Ctrl+Alt+T)"
  add.setAttribute("aria-label", "New query")
  add.addEventListener("click", () => model.send_msg({add: true}))
  bar.append(list, add)

  const rename = (tab, sheet) => {
    const field = document.createElement("input")
    field.type = "text"
    field.value = sheet.name
    field.maxLength = 60
    field.setAttribute("aria-label", "Name of the query")
    let done = false
    const finish = (taken) => {
      if (done) { return }
      done = true
      const name = field.value.trim()
      if (taken && name && name !== sheet.name) { model.send_msg({rename: {sheet: sheet.id, name}}) }
      update()
    }
    field.addEventListener("keydown", (event) => {
      event.stopPropagation()
      if (event.key === "Enter") { finish(true) }
      if (event.key === "Escape") { finish(false) }
    })
    field.addEventListener("blur", () => finish(true))
    tab.replaceChildren(field)
    field.focus()
    field.select()
  }

  const update = () => {
    const had_focus = list.contains(bar.getRootNode().activeElement)
    list.replaceChildren(...model.sheets.map((sheet) => {
      const holder = document.createElement("div")
      holder.className = "sheet"
      const tab = document.createElement("button")
      tab.type = "button"
      tab.setAttribute("role", "tab")
      const is_open = sheet.id === model.active
      tab.setAttribute("aria-selected", is_open)
      tab.tabIndex = is_open ? 0 : -1
      tab.textContent = sheet.name
      tab.title = "Double click, or F2, renames"
      tab.addEventListener("click", () => { if (!is_open) { model.send_msg({open: sheet.id}) } })
      tab.addEventListener("dblclick", () => rename(holder, sheet))
      tab.addEventListener("keydown", (event) => {
        const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]
        if (step) {
          const place = model.sheets.findIndex((other) => other.id === sheet.id)
          const next = model.sheets[(place + step + model.sheets.length) % model.sheets.length]
          model.send_msg({open: next.id})
          event.preventDefault()
        } else if (event.key === "F2") {
          rename(holder, sheet)
          event.preventDefault()
        } else if (event.key === "Delete" && model.sheets.length > 1) {
          model.send_msg({close: sheet.id})
        }
      })
      holder.append(tab)
      if (model.sheets.length > 1) {
        const close = document.createElement("button")
        close.type = "button"
        close.className = "close"
        close.textContent = "×"
        close.tabIndex = is_open ? 0 : -1
        close.setAttribute("aria-label", `Close ${sheet.name}`)
        close.addEventListener("click", () => model.send_msg({close: sheet.id}))
        holder.append(close)
      }
      return holder
    }))
    if (had_focus) { list.querySelector("[aria-selected=true]")?.focus() }
  }
  model.on(["sheets", "active"], update)
  update()
  return bar
}
