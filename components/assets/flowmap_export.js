// The map as a file of its own: what is seen, with title, legend and scale, in the theme's colours.

const escape_text = (text) => String(text).replace(/[&<>"]/g,
  (sign) => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})[sign])
const short = (number) => Math.round(10 * number) / 10

function save(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

// A canvas context that writes SVG: what the drawing uses of it, no more.
class SvgContext {
  constructor() {
    this.parts = []
    this.path = ""
    this.globalAlpha = 1
    this.fillStyle = this.strokeStyle = "#000"
    this.lineWidth = 1
    this.font = ""
    this.textAlign = "left"
  }
  beginPath() { this.path = "" }
  moveTo(x, y) { this.path += `M${short(x)} ${short(y)}` }
  lineTo(x, y) { this.path += `L${short(x)} ${short(y)}` }
  quadraticCurveTo(x, y, to_x, to_y) { this.path += `Q${short(x)} ${short(y)} ${short(to_x)} ${short(to_y)}` }
  closePath() { this.path += "Z" }
  arc(x, y, r, from, to) {
    const [ax, ay] = [x + r * Math.cos(from), y + r * Math.sin(from)]
    const half = (from + to) / 2
    const [mx, my] = [x + r * Math.cos(half), y + r * Math.sin(half)]
    const [bx, by] = [x + r * Math.cos(to), y + r * Math.sin(to)]
    const start = this.path && !this.path.endsWith("Z") ? "L" : "M"
    this.path += `${start}${short(ax)} ${short(ay)}A${short(r)} ${short(r)} 0 0 1 ${short(mx)} ${short(my)}`
      + `A${short(r)} ${short(r)} 0 0 1 ${short(bx)} ${short(by)}`
  }
  fill(rule) {
    this.parts.push(`<path d="${this.path}" fill="${this.fillStyle}" fill-opacity="${short(this.globalAlpha * 10) / 10}"`
      + `${rule === "evenodd" ? ' fill-rule="evenodd"' : ""}/>`)
  }
  stroke() {
    this.parts.push(`<path d="${this.path}" fill="none" stroke="${this.strokeStyle}" stroke-width="${short(this.lineWidth)}"`
      + ` stroke-opacity="${short(this.globalAlpha * 10) / 10}" stroke-linejoin="round"/>`)
  }
  text(text, x, y, extra) {
    this.parts.push(`<text x="${short(x)}" y="${short(y)}" font-size="${LABEL_FONT}" fill="${this.fillStyle}" ${extra}>`
      + `${escape_text(text)}</text>`)
  }
  strokeText(text, x, y) {
    this.text(text, x, y, `stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}" stroke-linejoin="round"`)
  }
  fillText(text, x, y) { this.text(text, x, y, "") }
  fillRect(x, y, width, height) {
    this.parts.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${this.fillStyle}"/>`)
  }
  clearRect() {}
  save() {}
  restore() {}
  setLineDash() {}
}

// Title above, the map, and below it legend and scale.
function compose(context, map) {
  const {width, height} = map
  const {title, categories, foot} = map.picture
  const colours = map.colours
  const entries = categories.filter((entry) => entry.seen !== false)
  const rows = Math.max(1, Math.ceil(entries.length / Math.max(1, Math.floor(width / 170))))
  const keys = laid_scale(map.scale, width)
  const scale_at = height + 40 + 22 * rows + 8
  const total = {width, height: scale_at + keys.height + 30}
  context.fillStyle = colours.surface
  context.fillRect(0, 0, total.width, total.height)
  context.font = `600 14px ${map.font}`
  context.fillStyle = colours.text
  context.fillText(title, 10, 24)
  return {total, top: 36, legend: () => {
    const columns = Math.max(1, Math.floor(width / 170))
    context.font = `${LABEL_FONT}px ${map.font}`
    entries.forEach((entry, i) => {
      const [x, y] = [10 + 170 * (i % columns), height + 40 + 22 * Math.floor(i / columns)]
      context.fillStyle = entry.colour
      context.fillRect(x, y + 2, 14, 14)
      context.fillStyle = colours.text
      context.fillText(entry.label, x + 20, y + 14)
    })
    for (const key of keys.placed) { paint_key(context, key, scale_at, map) }
    context.fillStyle = colours.muted
    context.fillText(foot || "", 10, scale_at + keys.height + 14)
  }}
}
