// What a reader does with the map: point, click, keys, and putting places where they belong.

Object.assign(FlowMap.prototype, {
  listen() {
    const {root} = this
    const at = (event) => {
      const frame = root.getBoundingClientRect()
      return [event.clientX - frame.left, event.clientY - frame.top]
    }
    root.addEventListener("pointermove", (event) => this.point(at(event), event), true)
    root.addEventListener("pointerleave", () => this.leave())
    root.addEventListener("pointerdown", (event) => { this.pressed_at = at(event) }, true)
    root.addEventListener("click", (event) => {
      const [x, y] = at(event)
      const from = this.pressed_at || [x, y]
      if (event.target.closest?.(".buttons") || event.composedPath().includes(this.buttons)) { return }
      if (Math.hypot(x - from[0], y - from[1]) < 5) { this.click([x, y]) }
    }, true)
    root.addEventListener("keydown", (event) => this.key(event))
  },

  // The place or arc under a point, the narrower one first: it is the harder one to hit.
  hit([x, y]) {
    if (!this.picture || !this.spots) { return null }
    let [nearest, least] = [null, Infinity]
    this.spots.forEach((spot, at) => {
      if (!spot) { return }
      const away = Math.hypot(spot[0] - x, spot[1] - y)
      if (away < Math.max(8, this.reach_of(at)) && away < least) { [nearest, least] = [at, away] }
    })
    if (nearest !== null) { return {kind: "place", at: nearest} }
    const area = () => {
      const at = this.areas.at(x, y)
      return at === null ? null : {kind: "place", at}
    }
    if (this.picture.has_arcs === false) { return area() }
    const bound = REACH + (this.picture.widest || 0)
    for (const arc of this.order) {
      const wide = this.width_of(arc)
      if (!wide) { continue }
      let away = this.ways.distance(arc, x, y, bound + Math.abs(this.aside[arc] || 0))
      if (this.aside[arc] && away < bound + Math.abs(this.aside[arc])) {
        away = distance_to(lane(this.ways, arc, this.aside[arc], 0, 0), x, y)
      }
      const off = away - wide / 2
      if (away < REACH + wide / 2 && off < least) { [nearest, least] = [arc, off] }
    }
    return nearest === null ? area() : {kind: "arc", at: nearest}
  },

  point(where, event) {
    if (event.buttons || event.composedPath().includes(this.buttons)) {
      this.leave()
      return
    }
    const found = this.hit(where)
    const same = found && this.hovered && found.kind === this.hovered.kind && found.at === this.hovered.at
    this.root.classList.toggle("pointing", Boolean(found))
    this.pointer = where
    if (!same) {
      this.hovered = found
      this.light()
    }
    if (found) { this.tell(found, where) } else { this.ask_image(where) }
  },

  leave() {
    this.pointer = null
    this.hovered = null
    this.note.hidden = true
    window.clearTimeout(this.asking)
    this.light()
  },

  click(where) {
    if (this.model.placing) {
      const [width, height] = this.size()
      const {x0, x1, y0, y1} = this.ranges()
      this.model.send_msg({placed: [x0 + where[0] / width * (x1 - x0), y1 - where[1] / height * (y1 - y0)]})
      return
    }
    const found = this.hit(where)
    if (found) {
      this.model.send_msg({[found.kind]: found.at, key: this.picture.key})
    } else if (this.picture?.is_image) {
      this.model.send_msg({image_click: this.on_map(where)})
    }
  },

  on_map([x, y]) {
    const [width, height] = this.size()
    const {x0, x1, y0, y1} = this.ranges()
    return [x0 + x / width * (x1 - x0), y1 - y / height * (y1 - y0), (x1 - x0) / width]
  },

  // What an image shows under the pointer, only Python knows.
  ask_image(where) {
    this.note.hidden = true
    window.clearTimeout(this.asking)
    if (!this.picture?.is_image) { return }
    this.asking = window.setTimeout(() => this.model.send_msg({image_hover: this.on_map(where)}), 40)
  },

  key(event) {
    const step = {ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1]}[event.key]
    if (event.target !== this.root || event.ctrlKey || event.metaKey || event.altKey || !this.plot) { return }
    if (step) {
      this.pan(...step)
    } else if (event.key === "+" || event.key === "=") {
      this.zoom(0.75)
    } else if (event.key === "-") {
      this.zoom(1 / 0.75)
    } else if (event.key === "0" || event.key === "Home") {
      this.fit()
    } else {
      return
    }
    event.preventDefault()
  },

  // The arc that is pointed at stands out, and those of a place; nothing below is drawn anew.
  light() {
    const [width, height] = this.size()
    this.over.clearRect(0, 0, width, height)
    this.canvas.style.opacity = ""
    const marks = [this.hovered, this.picked()].filter(Boolean)
    if (!marks.length || !this.spots || this.picture.has_arcs === false) { return }
    if (this.hovered) { this.canvas.style.opacity = 0.35 }
    for (const {kind, at} of marks) {
      if (kind === "place") { this.outline_area(this.over, at) }
      const arcs = kind === "arc" ? [at] : this.order.filter((arc) =>
        this.ends[3 * arc] === at || this.ends[3 * arc + 1] === at).slice(0, 200)
      for (const arc of arcs.slice().reverse()) {
        if (this.width_of(arc)) { this.paint_arrow(this.over, arc, this.colour_of(arc), 1, true) }
      }
    }
    this.paint_places(this.over, width, height)
  },

  // What was clicked, while its details are shown.
  picked() {
    const [kind, at] = this.model.picked || []
    const count = kind === "arc" ? this.count : this.picture?.places.length
    return kind && at < count ? {kind, at} : null
  },

  // ------------------------------------------------------------------ note

  tell(found, where) {
    const lines = found.kind === "arc" ? this.words_of_arc(found.at) : this.words_of_place(found.at)
    this.show_note(lines, where)
  },

  show_note({head, amount, lines}, [x, y]) {
    const top = make("p", {class: "head"}, make("strong"), make("span", {class: "amount"}))
    top.firstChild.textContent = head
    top.lastChild.textContent = amount
    this.note.replaceChildren(top, ...lines.filter(Boolean).map((text) => {
      const line = make("p", {class: "line"})
      line.textContent = text
      return line
    }))
    this.note.hidden = false
    const {offsetWidth: wide, offsetHeight: tall} = this.note
    const [width, height] = this.size()
    const left = x + 16 + wide > width ? x - 16 - wide : x + 16
    this.note.style.left = `${Math.max(4, Math.min(left, width - wide - 4))}px`
    this.note.style.top = `${Math.max(4, Math.min(y + 14, height - tall - 4))}px`
  },

  words_of_arc(arc) {
    const {places, categories, unit, is_difference, total} = this.picture
    const [from, to, category] = this.ends.subarray(3 * arc, 3 * arc + 3)
    const value = this.values[arc]
    const back = this.pairs.get(`${to},${from},${category}`)
    const loading = this.values[this.count + arc]
    const signed = is_difference && value > 0 ? `+${number_text(value)}` : number_text(value)
    const other = back === undefined ? NaN : this.values[back]
    return {
      head: `${places[from].name} → ${places[to].name}`,
      amount: `${signed} ${unit}`,
      lines: [
        [categories[category]?.label, this.model.when?.[0]].filter(Boolean).join(", "),
        is_difference ? "more or less than in the base scenario"
          : total > 0 ? `${number_text(100 * value / total)}\u2009% of what is drawn` : "",
        other > 0 ? `the other way ${number_text(other)} ${unit}` : "",
        loading > 0 ? `loading ${number_text(100 * loading)}\u2009% of capacity` : "",
        this.picture.hint,
      ],
    }
  },

  words_of_place(at) {
    const {places, unit, discs, is_difference, base} = this.picture
    const signed = (value) => `${is_difference && value > 0 ? "+" : ""}${number_text(value)} ${unit}`
    let [into, out] = [0, 0]
    for (let arc = 0; arc < this.count; arc++) {
      const value = this.values[arc]
      if (!(Math.abs(value) > 0)) { continue }
      if (this.ends[3 * arc] === at) { out += value }
      if (this.ends[3 * arc + 1] === at) { into += value }
    }
    const totals = (discs?.labels || []).map((label, side) => [label, this.total_of(at, side)])
    return {
      head: places[at].name, amount: "",
      lines: [
        places[at].description,
        ...totals.map(([label, value]) => Number.isFinite(value) ? `${label} ${signed(value)}` : ""),
        `arrives ${signed(into)}, leaves ${signed(out)}`,
        is_difference ? `more or less than in ${base}` : "",
        this.picture.hint,
      ],
    }
  },

  // ------------------------------------------------------------------ files

  export(kind, name) {
    if (!this.plot || !this.picture) { return }
    const [width, height] = this.size()
    const map = {width, height, picture: this.picture, colours: this.colours, font: this.font,
      scale: this.scale_rows(), colour_at: (share, signed) => this.ramp_colour(share, signed)}
    if (kind === "svg") {
      const context = new SvgContext()
      const {total, top, legend} = compose(context, map)
      context.parts.push(`<svg x="0" y="${top}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`)
      context.fillStyle = this.colours.sea
      context.fillRect(0, 0, width, height)
      this.paint_land(context)
      this.paint_areas(context, width, height)
      this.paint(context, false)
      context.parts.push("</svg>")
      legend()
      const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${total.width}" height="${total.height}"`
        + ` font-family="${escape_text(this.font)}">${context.parts.join("\n")}</svg>`
      save(new Blob([text], {type: "image/svg+xml"}), `${name}.svg`)
      return
    }
    const canvas = make("canvas")
    const probe = compose(new SvgContext(), map).total
    canvas.width = 2 * probe.width
    canvas.height = 2 * probe.height
    const context = canvas.getContext("2d")
    context.scale(2, 2)
    const {top, legend} = compose(context, map)
    context.save()
    context.translate(0, top)
    context.beginPath()
    context.rect(0, 0, width, height)
    context.clip()
    context.fillStyle = this.colours.sea
    context.fillRect(0, 0, width, height)
    // Tiles and images are pixels of the figure; land is drawn anew, sharper.
    if (this.picture.is_image || this.picture.has_tiles) {
      const below = this.figure_canvas()
      if (below) { context.drawImage(below, 0, 0, width, height) }
    } else {
      this.paint_land(context)
    }
    this.paint_areas(context, width, height)
    this.paint(context, false)
    context.restore()
    legend()
    canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png")
  },

  figure_canvas() {
    const inside = (node) => node.querySelector?.("canvas")
      || [...node.querySelectorAll?.("*") || []].map((e) => e.shadowRoot && inside(e.shadowRoot)).find(Boolean)
    return inside(this.figure)
  },

  paint_land(context) {
    const {x0, y1, per_x, per_y} = this.transform()
    const at = (x, y) => [(x - x0) * per_x, (y1 - y) * per_y]
    const line = (xs, ys) => {
      for (let i = 0; i < xs.length; i++) { context[i ? "lineTo" : "moveTo"](...at(xs[i], ys[i])) }
    }
    for (const renderer of this.plot.renderers) {
      const {data} = renderer.data_source
      if (renderer.name === "flowmap-land") {
        context.beginPath()
        for (let i = 0; i < (data.xs[0] || []).length; i++) {
          for (let ring = 0; ring < data.xs[0][i].length; ring++) {
            line(data.xs[0][i][ring], data.ys[0][i][ring])
            context.closePath()
          }
        }
        context.fillStyle = this.colours.land
        context.strokeStyle = this.colours.coast
        context.lineWidth = 0.75
        context.fill("evenodd")
        context.stroke()
      } else if (renderer.name === "flowmap-borders") {
        context.beginPath()
        for (let i = 0; i < data.xs.length; i++) { line(data.xs[i], data.ys[i]) }
        context.strokeStyle = this.colours.border
        context.lineWidth = 0.75
        context.stroke()
      }
    }
  },
})

function distance_to(pieces, x, y) {
  let least = Infinity
  for (const piece of pieces) {
    for (let i = 1; i < piece.length; i++) {
      const [ax, ay] = piece[i - 1], [bx, by] = piece[i]
      const length = (bx - ax) ** 2 + (by - ay) ** 2
      const along = length ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0
      least = Math.min(least, Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
    }
  }
  return least
}

export function render({model, view}) {
  const map = new FlowMap(model, view)
  together.add(map)
  // Several changes come in one message: they are taken together.
  const wants = new Set()
  const take = (what) => {
    wants.add(what)
    if (wants.size > 1) { return }
    queueMicrotask(() => {
      const asked = new Set(wants)
      wants.clear()
      if (asked.has("figure")) { map.attach() }
      if (asked.has("picture")) { map.load() } else if (asked.has("frame")) { map.take_frame(false) }
      if (asked.has("picked")) { map.light() }
    })
  }
  model.on(["picture", "points", "starts", "ends", "outlines", "rings"], () => take("picture"))
  model.on(["frame", "when"], () => take("frame"))
  model.on("picked", () => take("picked"))
  model.on("placing", () => map.root.classList.toggle("placing", Boolean(model.placing)))
  model.on("figure", () => take("figure"))
  model.on("msg:custom", (event) => {
    const message = event.data ?? event
    if (message.export) { map.export(message.export, message.name) }
    if (message.fit) { map.fit() }
    if (message.told && map.pointer && !map.hovered) { map.show_note(message.told, map.pointer) }
  })
  const observer = new ResizeObserver(() => {
    map.attach()
    map.resized()
  })
  observer.observe(map.root)
  const theme = new MutationObserver(() => map.paint_ground())
  theme.observe(document.documentElement, {attributes: true, attributeFilter: ["data-theme", "class", "style"]})
  model.on("after_render", () => {
    map.attach()
    map.load()
    map.resized()
  })
  model.on("remove", () => {
    observer.disconnect()
    theme.disconnect()
    together.delete(map)
    window.clearTimeout(map.telling)
    window.clearTimeout(map.resting)
  })
  map.root.classList.toggle("placing", Boolean(model.placing))
  // For benches: how often was it drawn?
  map.root.flowmap = map
  return map.root
}
