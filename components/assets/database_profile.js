// What stands in each column of a result: how much, between what, and how it is spread.
const SVG = "http://www.w3.org/2000/svg"

function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) { element.className = className }
  if (text !== undefined) { element.textContent = text }
  return element
}

function histogram(bins, said) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", `0 0 ${bins.length * 10} 40`)
  svg.setAttribute("preserveAspectRatio", "none")
  svg.setAttribute("role", "img")
  svg.setAttribute("aria-label", said)
  const most = Math.max(...bins, 1)
  bins.forEach((count, place) => {
    const bar = document.createElementNS(SVG, "rect")
    const tall = count ? Math.max(1.5, 40 * count / most) : 0
    for (const [name, value] of Object.entries({x: place * 10 + 0.5, y: 40 - tall, width: 9, height: tall})) {
      bar.setAttribute(name, value)
    }
    svg.append(bar)
  })
  return svg
}

function card(column) {
  const box = make("section", "card")
  box.setAttribute("aria-label", column.name)
  const heading = make("h3", "", column.name)
  heading.append(make("span", "kind", column.kind))
  box.append(heading)
  if (column.text) { box.append(make("p", "", column.text)) }
  const list = make("dl")
  for (const [what, value] of column.facts) { list.append(make("dt", "", what), make("dd", "", value)) }
  box.append(list)
  if (column.bins.length) {
    box.append(histogram(column.bins, `${column.name}: spread of the values`),
      (() => {
        const ends = make("div", "ends")
        ends.append(make("span", "", column.low), make("span", "", column.high))
        return ends
      })())
  }
  for (const [value, count, share] of column.frequent) {
    const row = make("div", "frequent")
    const bar = make("span", "share")
    bar.style.width = `${Math.round(100 * share)}%`
    row.append(bar, make("span", "value", value), make("span", "count", count))
    box.append(row)
  }
  return box
}

export function render({model}) {
  const root = make("div", "cards")
  const update = () => root.replaceChildren(...model.columns.map(card))
  model.on("columns", update)
  update()
  return root
}
