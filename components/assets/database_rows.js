// A table of which only what is seen is sent: rows and columns are asked of Python as they come
// into view. Every text is set through textContent: markup in names and values stays text.
const ROW = 28
const AHEAD = 20 // rows and columns that are asked for beyond what is seen
const BLOCK = 60

function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) { element.className = className }
  if (text !== undefined) { element.textContent = text }
  return element
}

export function render({model, el}) {
  const scroll = make("div", "scroll")
  scroll.tabIndex = 0
  scroll.setAttribute("role", "table")
  scroll.setAttribute("aria-label", "Rows of the result")
  const head = make("div", "head")
  head.setAttribute("role", "row")
  const body = make("div", "body")
  body.setAttribute("role", "rowgroup")
  scroll.append(head, body)
  let cells = new Map() // "row" -> Map(column -> text or null)
  let asked = new Set()
  let lefts = []
  let drawn = ""

  const seen = () => {
    const top = Math.max(0, scroll.scrollTop)
    const first = Math.floor(top / ROW)
    const last = Math.min(model.count, first + Math.ceil(scroll.clientHeight / ROW) + 1)
    let from = lefts.findLastIndex((left) => left <= scroll.scrollLeft)
    from = Math.max(0, from)
    let to = lefts.findIndex((left) => left > scroll.scrollLeft + scroll.clientWidth)
    to = to < 0 ? model.columns.length : to
    return {first, last, from, to}
  }

  const take = ({first, from, rows}) => {
    rows.forEach((row, i) => {
      const known = cells.get(first + i) || new Map()
      row.forEach((text, j) => known.set(from + j, text))
      cells.set(first + i, known)
    })
  }

  // Blocks of rows by blocks of columns, so that nothing is asked twice.
  const ask = ({first, last, from, to}) => {
    const columns = Math.max(1, Math.min(BLOCK, model.columns.length))
    for (let r = Math.floor(Math.max(0, first - AHEAD) / BLOCK); r * BLOCK < Math.min(model.count, last + AHEAD); r++) {
      for (let c = Math.floor(from / columns); c * columns < to; c++) {
        const key = `${r}/${c}`
        if (!asked.has(key)) {
          asked.add(key)
          model.send_msg({want: {first: r * BLOCK, last: Math.min(model.count, (r + 1) * BLOCK),
            from: c * columns, to: Math.min(model.columns.length, (c + 1) * columns)}, version: model.version})
        }
      }
    }
  }

  const draw_head = () => {
    lefts = []
    let left = 0
    head.replaceChildren(...model.columns.map((column, place) => {
      lefts.push(left)
      const cell = make("button", `cell ${column.right ? "right" : ""}`)
      cell.type = "button"
      cell.setAttribute("role", "columnheader")
      cell.style.left = `${left}px`
      cell.style.width = `${column.width}px`
      cell.title = `${column.name}: ${column.kind}`
      const sorted = model.sorted.column === place ? (model.sorted.down ? "descending" : "ascending") : "none"
      cell.setAttribute("aria-sort", sorted)
      cell.append(make("span", "name", column.name),
        make("span", "mark", {ascending: "▲", descending: "▼", none: ""}[sorted]))
      cell.disabled = !column.sorts
      cell.addEventListener("click", () => model.send_msg({sort: place, version: model.version}))
      left += column.width
      return cell
    }))
    head.style.width = body.style.width = `${left}px`
    body.style.height = `${model.count * ROW}px`
    scroll.setAttribute("aria-rowcount", model.count + 1)
    scroll.setAttribute("aria-colcount", model.columns.length)
    scroll.style.height = `${Math.min(model.most_high, model.count * ROW + 34 + 16)}px`
  }

  const draw = (force) => {
    const view = seen()
    const from = Math.max(0, view.from - 3)
    const to = Math.min(model.columns.length, view.to + 3)
    const state = `${view.first}/${view.last}/${from}/${to}`
    if (force || state !== drawn) {
      drawn = state
      const rows = []
      for (let r = view.first; r < view.last; r++) {
        const row = make("div", "row")
        row.setAttribute("role", "row")
        row.setAttribute("aria-rowindex", r + 2)
        row.style.top = `${r * ROW}px`
        const known = cells.get(r)
        for (let c = from; c < to; c++) {
          const text = known?.get(c)
          const column = model.columns[c]
          const cell = make("div", `cell ${column.right ? "right" : ""} ${text === null ? "null" : ""}`,
            text === null ? "NULL" : text ?? "…")
          cell.setAttribute("role", "cell")
          cell.setAttribute("aria-colindex", c + 1)
          cell.dataset.at = `${r}/${c}`
          cell.style.left = `${lefts[c]}px`
          cell.style.width = `${column.width}px`
          row.append(cell)
        }
        rows.push(row)
      }
      body.replaceChildren(...rows)
    }
    ask(view)
  }

  const reset = () => {
    cells = new Map()
    asked = new Set()
    take(model.first_cells)
    draw_head()
    draw(true)
  }

  scroll.addEventListener("scroll", () => draw(false), {passive: true})
  body.addEventListener("click", (event) => {
    const at = event.target.dataset?.at
    if (at) {
      const [row, column] = at.split("/").map(Number)
      model.send_msg({whole: {row, column}, version: model.version})
    }
  })
  model.on("version", () => { scroll.scrollTop = 0; reset() })
  model.on("msg:custom", ({block, version}) => {
    if (block && version === model.version) {
      take(block)
      draw(true)
    }
  })
  const watch = new ResizeObserver(() => draw(true))
  watch.observe(scroll)
  model.on("remove", () => watch.disconnect())
  reset()
  return scroll
}
