// The flow map: a figure with land below, arcs and places on a canvas above it. Every text is set
// through textContent, so markup in data stays text. What it draws is described in
// components/flowmap/view.py.
//
// Measured in headless Chromium with software rendering on two busy cores, 1100 x 700 pixels: a
// canvas strokes a curve of 2 pixels and more in 43 us and a hairline in 7 us, so most arcs are
// hairlines, gathered by colour: 5,000 in 33 ms. Bokeh's own Quadratic glyphs, each with a width
// of its own: 19 frames a second with 1,000 arcs, 5 with 5,000.

const STEADY = window.matchMedia("(prefers-reduced-motion: reduce)")
// While the values or the view of thousands of arcs change, so many keep their width and the rest
// are hairlines of every second point. All comes back once nothing has changed for so long; frames
// that play half a second apart find none of it in their way.
const MANY = 1500
const MOST_THICK = 250
const REST = 450 // Milliseconds.
const REACH = 7 // Pixels around an arc in which it is hit.
const LEAST_WIDTH = 0.4
const LOW = 480 // Pixels of a map's height below which its scale is one line.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) { element.setAttribute(name, value) }
  element.append(...children)
  return element
}

function bytes(model, name, Kind) {
  const value = model[name]
  if (!value) { return new Kind(0) }
  const buffer = value instanceof ArrayBuffer ? value : value.buffer
  return new Kind(buffer.slice(value.byteOffset || 0, (value.byteOffset || 0) + value.byteLength))
}

// Three significant figures, thin spaces between thousands, a true minus sign.
function number_text(value) {
  if (!Number.isFinite(value)) { return "–" }
  if (value === 0) { return "0" }
  const size = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3)))))
  const text = Math.abs(value).toFixed(Math.max(0, Math.min(8, 2 - size)))
  const [whole, part] = text.split(".")
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009")
  return `${value < 0 ? "\u2212" : ""}${grouped}${part ? `.${part}` : ""}`
}

class FlowMap {
  constructor(model, view) {
    this.model = model
    this.view = view
    this.drawn = 0
    this.rests = 0 // When what changes quickly will have come to rest.
    this.picture = null
    this.values = new Float32Array(0)
    this.hovered = null
    this.ground = make("canvas", {class: "arcs", "aria-hidden": "true"})
    this.canvas = make("canvas", {class: "arcs", "aria-hidden": "true"})
    this.lit = make("canvas", {class: "arcs", "aria-hidden": "true"})
    this.figure = make("div", {class: "figure"})
    this.note = make("div", {class: "note", role: "status"})
    this.note.hidden = true
    this.when = make("div", {class: "when"})
    this.scale = make("div", {class: "scale", "aria-hidden": "true"})
    this.buttons = make("div", {class: "buttons"})
    for (const [sign, label, act] of [
      ["+", "Zoom in", () => this.zoom(0.6)], ["\u2212", "Zoom out", () => this.zoom(1 / 0.6)],
      ["\u2922", "Show everything", () => this.fit()],
    ]) {
      const button = make("button", {type: "button", title: label, "aria-label": label})
      button.textContent = sign
      button.addEventListener("click", act)
      this.buttons.append(button)
    }
    this.root = make("div", {class: "flowmap", tabindex: "0", role: "application"},
      this.figure, this.ground, this.canvas, this.lit, this.when, this.scale, this.buttons, this.note)
    this.context = this.canvas.getContext("2d")
    this.over = this.lit.getContext("2d")
    this.listen()
  }

  // ------------------------------------------------------------------ figure

  // The Bokeh figure below, once it is there.
  attach() {
    const child = this.model.get_child("figure")
    if (child && child.parentNode !== this.figure) { this.figure.replaceChildren(child) }
    const found = find_figure(this.view.model.data.figure)
    if (!found || found === this.plot) { return }
    this.plot = found
    this.watched = () => this.moved()
    for (const range of [found.x_range, found.y_range]) { range.change.connect(this.watched) }
    this.paint_ground()
    this.fit()
  }

  // Land and borders in the colours of the theme.
  paint_ground() {
    const style = getComputedStyle(this.root)
    const probe = make("span")
    this.root.append(probe)
    const read = (name) => {
      probe.style.color = `var(${name})`
      return getComputedStyle(probe).color
    }
    this.colours = {
      sea: read("--map-sea"), land: read("--map-land"), coast: read("--map-coast"),
      border: read("--map-border"), halo: read("--map-halo"), node: read("--map-node"),
      more: read("--map-more"), less: read("--map-less"), middle: read("--map-middle"),
      low: read("--map-low"), high: read("--map-high"), text: read("--times-text"),
      muted: read("--times-muted"), surface: read("--times-surface"), accent: read("--times-accent"),
    }
    probe.remove()
    this.font = style.fontFamily
    for (const renderer of this.plot?.renderers || []) {
      const glyph = renderer.glyph
      if (renderer.name === "flowmap-land") {
        glyph.fill_color = {value: this.colours.land}
        glyph.line_color = {value: this.colours.coast}
      } else if (renderer.name === "flowmap-borders") {
        glyph.line_color = {value: this.colours.border}
      }
    }
    if (this.picture) { this.write_scale() }
    this.redraw()
  }

  size() { return [this.root.clientWidth, this.root.clientHeight] }

  ranges() {
    const {x_range, y_range} = this.plot
    return {x0: x_range.start, x1: x_range.end, y0: y_range.start, y1: y_range.end}
  }

  set_ranges({x0, x1, y0, y1}) {
    this.plot.x_range.setv({start: x0, end: x1})
    this.plot.y_range.setv({start: y0, end: y1})
  }

  // All that is to be seen, in proportion, with room for labels.
  fit() {
    const [width, height] = this.size()
    const bounds = this.picture?.bounds
    if (!this.plot || !bounds || !width || !height) { return }
    const [x0, x1, y0, y1] = bounds
    const room = Math.min(70, width / 8, height / 8)
    // In low maps the scale would hide what is at their foot; all of a group leave the same room.
    const foot = height < LOW ? 44 : 0
    const per_pixel = Math.max((x1 - x0) / (width - 2 * room), (y1 - y0) / (height - 2 * room - foot), 30)
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2 - per_pixel * foot / 2]
    this.shown_width = width
    this.set_ranges({x0: x - per_pixel * width / 2, x1: x + per_pixel * width / 2,
      y0: y - per_pixel * height / 2, y1: y + per_pixel * height / 2})
    this.place_edge()
    this.moved()
  }

  zoom(factor, [at_x, at_y] = [0.5, 0.5]) {
    if (!this.plot) { return }
    const {x0, x1, y0, y1} = this.ranges()
    const [x, y] = [x0 + at_x * (x1 - x0), y1 - at_y * (y1 - y0)]
    this.set_ranges({x0: x + factor * (x0 - x), x1: x + factor * (x1 - x),
      y0: y + factor * (y0 - y), y1: y + factor * (y1 - y)})
  }

  pan(right, down) {
    const {x0, x1, y0, y1} = this.ranges()
    const [dx, dy] = [right * (x1 - x0), down * (y1 - y0)]
    this.set_ranges({x0: x0 + dx, x1: x1 + dx, y0: y0 - dy, y1: y1 - dy})
  }

  resized() {
    const [width, height] = this.size()
    if (!width || !height) { return }
    this.root.classList.toggle("low", height < LOW)
    const ratio = window.devicePixelRatio || 1
    for (const canvas of [this.ground, this.canvas, this.lit]) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0)
    }
    this.fit()
  }

  // The view has changed: shapes follow at once, and Python is told when it rests.
  moved() {
    this.stale = true
    this.rests = performance.now() + REST
    this.redraw()
    window.clearTimeout(this.telling)
    this.telling = window.setTimeout(() => this.tell_view(), 90)
    if (!this.following) { follow_view(this) }
  }

  tell_view() {
    const [width, height] = this.size()
    const {x0, x1, y0, y1} = this.ranges()
    const key = [x0, x1, y0, y1, width, height].join()
    if (key === this.told || !width) { return }
    this.told = key
    this.model.send_msg({view: [x0, x1, y0, y1], size: [width, height]})
  }

  // ------------------------------------------------------------------ data

  // Another picture: places, ways, categories.
  load() {
    const {picture} = this.model
    if (!picture || !picture.places) { return }
    const moves = !this.picture || this.picture.fit !== picture.fit
    this.picture = picture
    this.ends = bytes(this.model, "ends", Int32Array)
    this.ways = new Ways(bytes(this.model, "points", Float32Array), bytes(this.model, "starts", Uint32Array))
    this.count = Math.min(this.ways.count, this.ends.length / 3)
    this.areas = new Areas(bytes(this.model, "outlines", Float32Array), bytes(this.model, "rings", Uint32Array))
    this.groups = lane_groups(this.ends, this.count)
    this.aside = new Float32Array(this.count)
    this.pairs = new Map()
    for (let arc = 0; arc < this.count; arc++) {
      this.pairs.set(`${this.ends[3 * arc]},${this.ends[3 * arc + 1]},${this.ends[3 * arc + 2]}`, arc)
    }
    this.root.setAttribute("aria-label", picture.title || "Flow map")
    this.hovered = null
    this.note.hidden = true
    this.stale = true
    this.take_frame(true)
    if (moves) { this.fit() }
  }

  // Other values of the same arcs and places; they are moved to, unless the picture is new.
  take_frame(at_once) {
    const frame = bytes(this.model, "frame", Float32Array)
    if (!this.picture || frame.length < 2 * this.count + 2 * this.picture.places.length) { return }
    const before = this.values
    this.target = frame
    const same = before.length === frame.length && !at_once && !STEADY.matches
    this.from = same ? before.slice() : frame
    this.order = Array.from({length: this.count}, (_, arc) => arc)
      .sort((a, b) => Math.abs(frame[b]) - Math.abs(frame[a]))
    this.began = performance.now()
    this.lasting = same ? this.model.duration : 0
    this.rests = this.began + this.lasting + REST
    this.write_when()
    this.redraw()
  }

  write_when() {
    const [large = "", small = ""] = this.model.when || []
    const line = make("small")
    line.textContent = small
    this.when.textContent = large
    this.when.append(line)
    this.write_scale()
  }

  // Values between two frames.
  tween(now) {
    const share = this.lasting ? Math.min(1, (now - this.began) / this.lasting) : 1
    if (share >= 1) {
      this.values = this.target
      return false
    }
    const values = this.values.length === this.target.length && this.values !== this.target
      && this.values !== this.from ? this.values : new Float32Array(this.target.length)
    for (let i = 0; i < values.length; i++) {
      const a = this.from[i], b = this.target[i]
      values[i] = Number.isNaN(a) ? b : Number.isNaN(b) ? a : a + share * (b - a)
    }
    this.values = values
    return true
  }

  width_of(arc) {
    const value = Math.abs(this.values[arc])
    if (!(value > 0) || !this.picture.most) { return 0 }
    return Math.max(LEAST_WIDTH, this.picture.widest * value / this.picture.most)
  }

  colour_of(arc) {
    if (this.picture.is_difference) {
      return this.values[arc] < 0 ? this.colours.less : this.colours.more
    }
    return this.picture.categories[this.ends[3 * arc + 2]]?.colour || this.colours.muted
  }

  place_colour(at) { return this.picture.places[at].colour || this.colours.node }

  // ------------------------------------------------------------------ places

  // What a place shows: two halves, or one value in the first.
  total_of(place, half) { return this.values[2 * this.count + 2 * place + half] }

  radius(place, half) {
    const {most, largest} = this.picture.discs || {}
    const value = Math.abs(this.total_of(place, half))
    if (!(value > 0) || !most || this.areas.has(place)) { return 0 }
    return largest * Math.sqrt(value / most)
  }

  // What touches a circle begins outside of it.
  reach_of(place) {
    return 2 + Math.max(this.picture.dot ?? 4, this.radius(place, 0), this.radius(place, 1))
  }

  // Places of the world outside have no spot: they stand at the edge that is farthest from all.
  place_edge() {
    const edges = (this.picture?.places || []).filter((place) => place.edge)
    if (!edges.length) { return }
    const [width, height] = this.size()
    const per = this.transform()
    const spots = this.picture.places.filter((place) => place.x !== null)
      .map((place) => [(place.x - per.x0) * per.per_x, (per.y1 - place.y) * per.per_y])
    const free = [[0.5, 1], [0, 0.55], [1, 0.6], [0.22, 1], [0.78, 1]]
      .map(([x, y]) => [Math.max(56, Math.min(width - 60, x * width)), Math.min(height - 24, y * height)])
      .map((at) => [at, Math.min(...spots.map((spot) => Math.hypot(spot[0] - at[0], spot[1] - at[1])))])
      .sort((a, b) => b[1] - a[1])
    edges.forEach((place, i) => { place.at = free[i % free.length][0] })
  }

  transform() {
    const [width, height] = this.size()
    const {x0, x1, y0, y1} = this.ranges()
    return {x0, y1, per_x: width / (x1 - x0), per_y: height / (y1 - y0)}
  }

  project() {
    const per = this.transform()
    this.ways.project(per)
    this.areas.project(per)
    this.spots = this.picture.places.map((place) => {
      if (place.at) { return place.at }
      return place.x === null ? null : [(place.x - per.x0) * per.per_x, (per.y1 - place.y) * per.per_y]
    })
    for (let arc = 0; arc < this.count; arc++) {
      const [from, to] = [this.ends[3 * arc], this.ends[3 * arc + 1]]
      if (this.picture.places[from].edge || this.picture.places[to].edge) {
        if (this.spots[from] && this.spots[to]) {
          this.ways.set_line(arc, this.spots[from], this.spots[to], 0.09)
        }
      }
    }
    this.stale = false
  }
}
