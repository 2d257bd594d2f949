// What widths, circles and fills stand for: at the map's foot, and below it in a file.

const RAMP_STEPS = [0, 0.2, 0.4, 0.6, 0.8, 1]
const KEY_ROW = 30

// One, two or five times a power of ten at most: the largest, and a tenth of it or so.
function nice_steps(most) {
  const power = 10 ** Math.floor(Math.log10(most))
  const first = [5, 2, 1].map((n) => n * power).find((value) => value <= most * 1.0001)
  return [first, first / 5]
}

Object.assign(FlowMap.prototype, {
  scale_rows() {
    const {most, widest, unit, discs, fills, is_difference, base} = this.picture || {}
    const rows = []
    if (most) {
      rows.push(...nice_steps(most).map((value) =>
        ({kind: "width", size: Math.max(1, widest * value / most), text: `${number_text(value)} ${unit}`})))
    }
    for (const name of most && is_difference ? ["more", "less"] : []) {
      rows.push({kind: name, text: `${name} than ${base}`})
    }
    if (discs?.most && (!fills || fills.has_discs)) {
      const value = nice_steps(discs.most)[0]
      rows.push({kind: "disc", size: 2 * discs.largest * Math.sqrt(value / discs.most),
        text: `${number_text(value)} ${unit}: ${discs.labels.join(" | ")}`})
    }
    if (fills?.most && this.areas.rings.length) {
      rows.push({kind: "ramp", text: `${fills.label}, ${unit}`, is_signed: fills.is_signed,
        ends: fills.is_signed ? [number_text(-fills.most), "0", number_text(fills.most)]
          : ["0", "", number_text(fills.most)]})
    }
    return rows
  },

  write_scale() {
    const rows = this.picture?.has_scale ? this.scale_rows() : []
    const text = (words) => {
      const element = make("span")
      element.textContent = words
      return element
    }
    this.scale.replaceChildren(...rows.map((row) => {
      const mark = make("i")
      if (row.kind === "ramp") {
        const colours = ramp_shares(row.is_signed).map((share) => this.ramp_colour(share, row.is_signed))
        mark.style.background = `linear-gradient(to right, ${colours.join(", ")})`
        const title = make("b")
        title.textContent = row.text
        const ends = row.ends.map(text)
        ends[1].className = "zero"
        return make("div", {class: "ramp"}, title, mark, ...ends)
      }
      if (row.kind === "width") { mark.style.height = `${row.size}px` } else { mark.className = row.kind }
      if (row.kind === "disc") { mark.style.width = mark.style.height = `${row.size}px` }
      return make("div", {}, mark, text(row.text))
    }))
  },
})

function ramp_shares(is_signed) {
  return is_signed ? [...RAMP_STEPS.slice(1).reverse().map((share) => -share), ...RAMP_STEPS] : RAMP_STEPS
}

// Where each row of the scale goes in a file, and how high they are together.
function laid_scale(rows, width) {
  let [x, line] = [10, 0]
  const placed = rows.map((row) => {
    const mark = row.kind === "ramp" ? 120 : row.kind === "disc" ? row.size : 30
    const words = row.kind === "ramp" ? `${row.ends.join("  ")} ${row.text}` : row.text
    const wide = mark + 8 + 7 * words.length + 24
    if (x + wide > width && x > 10) { [x, line] = [10, line + 1] }
    const key = {...row, x, y: line * KEY_ROW, mark}
    x += wide
    return key
  })
  const high = Math.max(0, ...rows.filter((row) => row.kind === "disc").map((row) => row.size - KEY_ROW))
  return {placed, height: placed.length ? (line + 1) * KEY_ROW + high : 0}
}

function paint_key(context, {kind, text, size, ends, is_signed, x, y, mark}, top, {colours, colour_at}) {
  const middle = top + y + KEY_ROW / 2
  let words = text
  let at = x
  context.fillStyle = colours.muted
  if (kind === "ramp") {
    context.fillStyle = colours.text
    context.fillText(ends[0], at, middle + 4)
    at += 7 * ends[0].length + 6
    const shares = ramp_shares(is_signed)
    const step = mark / shares.length
    shares.forEach((share, i) => {
      context.fillStyle = colour_at(share, is_signed)
      context.fillRect(at + i * step, middle - 6, step, 12)
    })
    words = `${ends[2]}  ${text}`
  } else if (kind === "disc") {
    context.strokeStyle = colours.node
    context.lineWidth = 1.5
    context.beginPath()
    context.arc(at + size / 2, middle, size / 2, 0, Math.PI)
    context.arc(at + size / 2, middle, size / 2, Math.PI, 2 * Math.PI)
    context.closePath()
    context.stroke()
  } else {
    const high = kind === "width" ? size : 5
    if (kind !== "width") { context.fillStyle = colours[kind] }
    context.fillRect(at, middle - high / 2, mark, high)
  }
  context.fillStyle = colours.text
  context.fillText(words, at + mark + 8, middle + 4)
}
