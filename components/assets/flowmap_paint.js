// Painting: arcs, places and the scale, on the canvas or on a context that writes a file.

const MOST_DOTS = 1500
const CROWD = 100 // So many arcs can be told apart at any width.

Object.assign(FlowMap.prototype, {
  // ------------------------------------------------------------------ drawing

  redraw() {
    if (this.waiting) { return }
    this.waiting = true
    window.requestAnimationFrame((now) => {
      this.waiting = false
      this.draw(now)
    })
  },

  draw(now) {
    if (!this.plot || !this.picture || !this.target || !this.colours) { return }
    const [width, height] = this.size()
    if (!width || !height) { return }
    const moving = this.tween(now)
    const hurried = this.count > MANY && (moving || now < this.rests)
    if (this.stale) { this.project() }
    this.ground.getContext("2d").clearRect(0, 0, width, height)
    this.paint_areas(this.ground.getContext("2d"), width, height)
    this.context.clearRect(0, 0, width, height)
    this.paint(this.context, moving, hurried)
    this.light()
    this.drawn += 1
    this.root.dataset.state = moving || hurried ? "moving" : "still"
    this.root.dataset.arcs = this.count
    window.clearTimeout(this.resting)
    if (moving) {
      this.redraw()
    } else if (hurried) {
      this.resting = window.setTimeout(() => this.redraw(), this.rests - now)
    }
  },

  // Everything on a context: the canvas, or one that writes a file.
  paint(context, moving = false, hurried = false) {
    const [width, height] = this.size()
    for (const group of this.groups) {
      let total = 0
      for (const arc of group) { total += this.width_of(arc) }
      let at = -total / 2
      for (const arc of group) {
        const wide = this.width_of(arc)
        this.aside[arc] = at + wide / 2
        at += wide
      }
    }
    if (this.picture.has_arcs !== false) { this.paint_arcs(context, moving, hurried, width, height) }
    this.paint_places(context, width, height)
  },

  paint_arcs(context, moving, hurried, width, height) {
    const hairs = new Map()
    const thick = []
    const most = hurried ? MOST_THICK : Infinity
    for (const arc of this.order) {
      const wide = this.width_of(arc)
      if (!wide || !this.ways.is_seen(arc, width, height, wide + 20)) { continue }
      if (wide > HAIR && thick.length < most) {
        thick.push(arc)
        continue
      }
      const faint = wide < 0.7 ? 0.45 : 0.75
      const key = `${faint} ${this.colour_of(arc)}`
      if (!hairs.has(key)) { hairs.set(key, []) }
      hairs.get(key).push(arc)
    }
    context.lineWidth = 1
    for (const [key, arcs] of hairs) {
      context.globalAlpha = Number(key.split(" ")[0])
      context.strokeStyle = key.slice(key.indexOf(" ") + 1)
      context.beginPath()
      for (const arc of arcs) { this.trace(context, arc, hurried ? 4 : 2) }
      context.stroke()
    }
    const halo = !moving && !hurried && thick.length < 400
    // Where many cross each other, small ones step back, so that large ones can be followed.
    const crowded = Math.min(1, Math.max(0, (this.count - CROWD) / CROWD))
    for (const arc of thick) {
      const small = 1 - Math.min(1, 2 * this.width_of(arc) / this.picture.widest)
      const alpha = (moving || hurried ? 0.85 : 0.88) - 0.4 * crowded * small
      this.paint_arrow(context, arc, this.colour_of(arc), alpha, halo, hurried)
    }
    context.globalAlpha = 1
  },

  trace(context, arc, step) {
    const {pixels, starts} = this.ways
    const last = 2 * starts[arc + 1] - 2
    const middle = 2 * ((starts[arc] + starts[arc + 1]) >> 1)
    const bent = this.picture.is_bent && middle < last
      && Math.hypot(pixels[middle + 2] - pixels[middle], pixels[middle + 3] - pixels[middle + 1]) > KINK
    let down = false
    // The last point is always drawn: there the arc ends.
    for (let q = 2 * starts[arc]; q < last + step; q += step) {
      const p = Math.min(q, last)
      if (Number.isNaN(pixels[p])) {
        down = false
      } else if (down) {
        const next = Math.min(p + step, last)
        if (bent && next > p && !Number.isNaN(pixels[next])) {
          bend_to(context, pixels[p], pixels[p + 1], pixels[next], pixels[next + 1])
        } else {
          context.lineTo(pixels[p], pixels[p + 1])
        }
      } else {
        context.moveTo(pixels[p], pixels[p + 1])
        down = true
      }
    }
  },

  // An arrow is filled, not stroked: two thirds of the time.
  paint_arrow(context, arc, colour, alpha, halo, coarse = false) {
    const wide = Math.max(this.width_of(arc), 1)
    const pieces = lane(this.ways, arc, this.aside[arc] || 0,
      this.reach_of(this.ends[3 * arc]), this.reach_of(this.ends[3 * arc + 1]))
    if (!pieces.length) { return }
    const finer = coarse ? every_second : this.picture.is_bent ? rounded : (piece) => piece
    const {body, head} = arrow(pieces.map(finer), wide)
    if (halo) {
      context.beginPath()
      for (const piece of body) { this.follow(context, piece) }
      context.globalAlpha = 0.55
      context.strokeStyle = this.colours.halo
      context.lineJoin = "round"
      context.lineWidth = wide + 1.5
      context.stroke()
    }
    context.globalAlpha = alpha
    context.fillStyle = colour
    context.beginPath()
    for (const outline of outlines(body, head, wide)) {
      this.follow(context, outline)
      context.closePath()
    }
    context.fill()
  },

  follow(context, points) {
    context.moveTo(points[0][0], points[0][1])
    for (let i = 1; i < points.length; i++) { context.lineTo(points[i][0], points[i][1]) }
  },

  paint_places(context, width, height) {
    const {places, discs} = this.picture
    const named = []
    const seen = (spot) => spot && spot[0] > -40 && spot[1] > -40 && spot[0] < width + 40 && spot[1] < height + 40
    // Thousands of dots would hide what flows between them: they come when the view is nearer.
    if (places.length > MOST_DOTS && this.spots.filter(seen).length > MOST_DOTS) { return }
    places.forEach((place, at) => {
      const spot = this.spots[at]
      if (!seen(spot)) { return }
      const [x, y] = spot
      const [left, right] = [this.radius(at, 0), this.radius(at, 1)]
      const dot = this.picture.dot ?? 4
      if (place.edge) {
        context.fillStyle = this.colours.muted
        context.fillRect(x - 5, y - 5, 10, 10)
      } else {
        const is_whole = discs?.labels?.length === 1
        context.fillStyle = !discs?.is_signed ? this.colours.node
          : this.total_of(at, 0) < 0 ? this.colours.less : this.colours.more
        if (is_whole && left > 0) {
          context.beginPath()
          context.arc(x, y, left, 0, Math.PI)
          context.arc(x, y, left, Math.PI, 2 * Math.PI)
          context.closePath()
          context.globalAlpha = 0.75
          context.fill()
        }
        for (const [r, from] of [[left, Math.PI / 2], [right, -Math.PI / 2]]) {
          if (r <= 0 || is_whole) { continue }
          context.beginPath()
          context.moveTo(x, y)
          context.arc(x, y, r, from, from + Math.PI)
          context.closePath()
          context.globalAlpha = from > 0 ? 0.9 : 0.5
          context.fill()
        }
        context.globalAlpha = 1
        context.beginPath()
        context.arc(x, y, dot, 0, Math.PI)
        context.arc(x, y, dot, Math.PI, 2 * Math.PI)
        context.closePath()
        context.fillStyle = this.colours.halo
        context.strokeStyle = this.place_colour(at)
        context.lineWidth = dot > 3 ? 2 : 1
        context.fill()
        context.stroke()
      }
      named.push({x, y, r: Math.max(dot, left, right) + 1, name: place.name, weight: place.weight || 0, code: at})
    })
    named.sort((a, b) => b.weight - a.weight)
    named.slice(this.picture.most_labels ?? Infinity).forEach((place) => { place.name = "" })
    context.font = `${LABEL_FONT}px ${this.font}`
    this.measure ??= (text) => {
      this.context.font = `${LABEL_FONT}px ${this.font}`
      return this.context.measureText(text).width
    }
    context.lineJoin = "round"
    context.lineWidth = 3
    for (const label of place_labels(named, this.measure, width, height)) {
      context.globalAlpha = 0.85
      context.strokeStyle = this.colours.halo
      context.strokeText(label.name, label.x, label.y)
      context.globalAlpha = 1
      context.fillStyle = this.colours.text
      context.fillText(label.name, label.x, label.y)
    }
    context.globalAlpha = 1
  },
})

// Towards the middle of the next piece, past the corner: pieces become a curve without kinks.
function bend_to(context, x, y, next_x, next_y) {
  context.quadraticCurveTo(x, y, (x + next_x) / 2, (y + next_y) / 2)
}

function find_figure(model) {
  if (!model) { return null }
  if (model.x_range && model.renderers) { return model }
  for (const child of model.children || []) {
    const found = find_figure(Array.isArray(child) ? child[0] : child)
    if (found) { return found }
  }
  return null
}

// Maps of one group show the same part of the world.
const together = new Set()
function follow_view(moved) {
  const {group} = moved.model
  if (!group || !moved.plot || !moved.size()[0]) { return }
  const {x0, x1, y0, y1} = moved.ranges()
  const per_pixel = (x1 - x0) / moved.size()[0]
  for (const map of together) {
    if (map === moved || map.model.group !== group || !map.plot) { continue }
    const [width, height] = map.size()
    if (!width || !height) { continue }
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2]
    map.following = true
    map.set_ranges({x0: x - per_pixel * width / 2, x1: x + per_pixel * width / 2,
      y0: y - per_pixel * height / 2, y1: y + per_pixel * height / 2})
    map.following = false
  }
}
