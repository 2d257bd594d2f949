// A small chart for the drawer: two series as lines over years or bars over timeslices. Two whole
// figures would be laid out before the drawer has a width, and take longer than the map.

const SVG_NAMES = "http://www.w3.org/2000/svg"

function shape(tag, attributes, text) {
  const element = document.createElementNS(SVG_NAMES, tag)
  for (const [name, value] of Object.entries(attributes)) { element.setAttribute(name, value) }
  if (text !== undefined) { element.textContent = text }
  return element
}

// Round steps: at most five over a span.
function steps(low, high) {
  const raw = (high - low) / 4 || 1
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((value) => value >= raw)
  const found = []
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) {
    found.push(Math.abs(value) < step * 1e-6 ? 0 : value)
  }
  return found
}

const written = (value) => Math.abs(value) >= 1000
  ? Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u2009")
  : Number(value.toPrecision(3)).toString().replace("-", "\u2212")

function draw(root, model) {
  const width = root.clientWidth
  if (!width) { return }
  const height = 140
  const {kind, labels, series, unit} = model
  const left = 44, right = 8, top = 8, bottom = 22
  const all = series.flatMap((s) => s.values).filter(Number.isFinite)
  const low = Math.min(0, ...all), high = Math.max(0, ...all) || (low < 0 ? 0 : 1)
  const y = (value) => top + (height - top - bottom) * (high - value) / (high - low)
  const numbers = labels.map(Number)
  const spaced = kind === "lines" && numbers.every(Number.isFinite)
  const span = spaced ? numbers.at(-1) - numbers[0] || 1 : labels.length
  const room = width - left - right
  const x = (i) => spaced
    ? left + 8 + (room - 16) * (numbers[i] - numbers[0]) / span
    : left + room * (i + 0.5) / labels.length
  const svg = shape("svg", {width, height, role: "img", "aria-label": model.label})
  for (const value of steps(low, high)) {
    svg.append(shape("line", {x1: left, x2: width - right, y1: y(value), y2: y(value),
      class: value === 0 ? "zero" : "grid"}))
    svg.append(shape("text", {x: left - 6, y: y(value) + 4, "text-anchor": "end"}, written(value)))
  }
  const every = Math.ceil(labels.length * (spaced ? 38 : 58) / room)
  labels.forEach((label, i) => {
    if (i % every === 0) {
      // About 7 pixels a letter: the last one must not be cut.
      const at = Math.min(x(i), width - 3.6 * label.length)
      svg.append(shape("text", {x: at, y: height - 6, "text-anchor": "middle"}, label))
    }
  })
  const told = (s, i) => shape("title", {}, `${labels[i]}, ${s.label}: ${written(Math.abs(s.values[i]))} ${unit}`)
  for (const s of series) {
    const known = s.values.map((value, i) => [i, value]).filter(([, value]) => Number.isFinite(value))
    if (kind === "lines") {
      const path = known.map(([i, value], at) => `${at ? "L" : "M"}${x(i)} ${y(value)}`).join("")
      svg.append(shape("path", {d: path, fill: "none", stroke: s.colour, "stroke-width": known.length > 100 ? 1 : 2}))
      for (const [i, value] of known.length > 60 ? [] : known) {
        const dot = shape("circle", {cx: x(i), cy: y(value), r: 3.5, fill: s.colour})
        dot.append(told(s, i))
        svg.append(dot)
      }
    } else {
      const wide = Math.max(2, 0.8 * room / labels.length)
      for (const [i, value] of known) {
        const bar = shape("rect", {x: x(i) - wide / 2, width: wide, y: Math.min(y(0), y(value)),
          height: Math.max(0.5, Math.abs(y(value) - y(0))), fill: s.colour})
        bar.append(told(s, i))
        svg.append(bar)
      }
    }
  }
  root.replaceChildren(svg)
}

export function render({model}) {
  const root = document.createElement("div")
  const update = () => draw(root, model)
  const observer = new ResizeObserver(update)
  observer.observe(root)
  model.on(["series", "labels", "kind"], update)
  model.on("remove", () => observer.disconnect())
  return root
}
