// Tables and their columns as a list that opens, with one search over names, descriptions and codes.
// Every text is set through textContent: markup in data stays text.

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

export function render({model}) {
  const root = make("div", {className: "schema"})
  const box = make("input", {type: "search", placeholder: "Search tables, columns, codes", spellcheck: false})
  box.setAttribute("aria-label", "Search tables, columns, codes and descriptions")
  const count = make("p", {className: "muted"})
  count.setAttribute("role", "status")
  const list = make("div", {className: "list"})
  root.append(box, count, list)
  const open = new Set()
  let timer

  const words = () => box.value.toLowerCase().split(/\s+/).filter(Boolean)
  const has = (text) => words().every((word) => text.toLowerCase().includes(word))

  const inserter = (text, shown, title, className) => {
    const button = make("button", {type: "button", className, title})
    button.append(...shown)
    button.addEventListener("click", () => model.send_msg({insert: text}))
    return button
  }

  const column_row = ({name, kind, description}) => make("li", {}, inserter(name,
    [make("span", {className: "name", textContent: name}), make("span", {className: "kind", textContent: kind.toLowerCase()})],
    `${description}\nClick inserts ${name}`, "column"))

  const table_row = (table, columns, is_open) => {
    const item = make("li", {})
    const toggle = make("button", {type: "button", className: "table"})
    toggle.setAttribute("aria-expanded", is_open)
    toggle.title = table.one_row
    toggle.append(make("span", {className: "arrow", textContent: is_open ? "▾" : "▸"}),
      make("span", {className: "name", textContent: table.name}))
    toggle.addEventListener("click", () => {
      open.has(table.name) ? open.delete(table.name) : open.add(table.name)
      update()
      list.querySelector(`[data-table="${CSS.escape(table.name)}"] .table`)?.focus()
    })
    const insert = inserter(table.name, [make("span", {textContent: "+"})], `Insert ${table.name}`, "small")
    insert.setAttribute("aria-label", `Insert ${table.name}`)
    const about = make("button", {type: "button", className: "small", textContent: "i", title: `About ${table.name}`})
    about.setAttribute("aria-label", `About the table ${table.name}`)
    about.addEventListener("click", () => model.send_msg({about: table.name}))
    item.dataset.table = table.name
    item.append(make("div", {className: "row"}, toggle, about, insert))
    if (is_open) { item.append(make("ul", {className: "columns"}, ...columns.map(column_row))) }
    return item
  }

  const code_row = ({name, where, description, code}) => make("li", {}, inserter(code,
    [make("span", {className: "name", textContent: name}), make("span", {className: "kind", textContent: where}),
      make("span", {className: "what", textContent: description})],
    `${where} ${name}: ${description}\nClick inserts ${code}`, "code"))

  const update = () => {
    const searched = words().length > 0
    const parts = []
    let shown = 0
    let section = ""
    let items = []
    for (const table of model.tables) {
      const itself = has(`${table.name} ${table.one_row}`)
      const columns = table.columns.filter((c) => !searched || itself || has(`${c.name} ${c.description}`))
      if (searched && !itself && !columns.length) { continue }
      if (table.section !== section) {
        section = table.section
        items = make("ul", {})
        parts.push(make("h3", {textContent: section}), items)
      }
      shown += 1
      items.append(table_row(table, columns, open.has(table.name) || (searched && !itself)))
    }
    const codes = searched ? model.found : []
    if (codes.length) {
      parts.unshift(make("h3", {textContent: "Codes"}), make("ul", {}, ...codes.map(code_row)))
    }
    count.textContent = searched
      ? `${shown} of ${model.tables.length} tables, ${codes.length}${codes.length >= model.most ? " or more" : ""} codes`
      : ""
    count.hidden = !searched
    list.replaceChildren(...parts)
  }

  box.addEventListener("input", () => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => model.send_msg({search: box.value.slice(0, 200)}), 200)
    update()
  })
  model.on(["tables", "found"], update)
  update()
  return root
}
