// Regions that are filled with the colour of what they produce, use or trade.

const NEAR = 0.6 // Points nearer than so many pixels to the one before are not drawn.

// Outlines in pixels for a view; made anew when the view changes, not when values do.
class Areas {
  constructor(points, rings) {
    this.points = points
    this.rings = []
    this.places = new Map()
    for (let i = 0; i + 3 < rings.length; i += 2) {
      const [place, first, last] = [rings[i], rings[i + 1], rings[i + 3]]
      if (!this.places.has(place)) { this.places.set(place, []) }
      const ring = {first, last, path: [], box: [0, 0, 0, 0]}
      this.places.get(place).push(ring)
      this.rings.push(ring)
    }
  }

  has(place) { return this.places.has(place) }

  project({x0, y1, per_x, per_y}) {
    for (const ring of this.rings) {
      const path = []
      let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
      let [px, py] = [Infinity, Infinity]
      for (let p = ring.first; p < ring.last; p++) {
        const x = (this.points[2 * p] - x0) * per_x, y = (y1 - this.points[2 * p + 1]) * per_y
        if (Math.abs(x - px) < NEAR && Math.abs(y - py) < NEAR && p < ring.last - 1) { continue }
        path.push(x, y)
        ;[px, py] = [x, y]
        if (x < left) { left = x }
        if (x > right) { right = x }
        if (y < top) { top = y }
        if (y > bottom) { bottom = y }
      }
      ring.path = path
      ring.box = [left, top, right, bottom]
    }
  }

  // Begin the path of a place on a context; false where nothing of it is seen.
  trace(context, place, width, height) {
    let some = false
    context.beginPath()
    for (const {path, box} of this.places.get(place) || []) {
      if (box[0] > width || box[1] > height || box[2] < 0 || box[3] < 0) { continue }
      some = true
      context.moveTo(path[0], path[1])
      for (let i = 2; i < path.length; i += 2) { context.lineTo(path[i], path[i + 1]) }
      context.closePath()
    }
    return some
  }

  // The place that a point is in; of several, the smallest. Null where it is in none.
  at(x, y) {
    let [found, least] = [null, Infinity]
    for (const [place, rings] of this.places) {
      let inside = false, size = 0
      for (const {path, box} of rings) {
        size = Math.max(size, (box[2] - box[0]) * (box[3] - box[1]))
        if (x < box[0] || x > box[2] || y < box[1] || y > box[3]) { continue }
        for (let i = 0, j = path.length - 2; i < path.length; j = i, i += 2) {
          const [ax, ay, bx, by] = [path[i], path[i + 1], path[j], path[j + 1]]
          if (ay > y !== by > y && x < ax + (y - ay) / (by - ay) * (bx - ax)) { inside = !inside }
        }
      }
      if (inside && size < least) { [found, least] = [place, size] }
    }
    return found
  }
}

const parts_of = (colour) => (colour.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number)

function mixed(from, to, share) {
  const [a, b] = [parts_of(from), parts_of(to)]
  return `rgb(${a.map((part, i) => Math.round(part + share * (b[i] - part))).join(", ")})`
}

Object.assign(FlowMap.prototype, {
  // The colour of a value as a share of the largest, from -1 to 1.
  ramp_colour(share, is_signed) {
    const {low, high, less, middle, more} = this.colours
    const far = Math.min(1, Math.abs(share))
    if (is_signed) { return mixed(middle, share < 0 ? less : more, 0.9 * far) }
    return mixed(low, high, far)
  },

  area_colour(place) {
    const {fills} = this.picture
    const value = this.total_of(place, 0)
    if (!fills?.most || !Number.isFinite(value)) { return null }
    return this.ramp_colour(value / fills.most, fills.is_signed)
  },

  paint_areas(context, width, height) {
    if (!this.picture.fills) { return }
    const seen = [...this.areas.places.keys()].filter((place) => this.area_colour(place))
    context.lineJoin = "round"
    for (const place of seen) {
      if (!this.areas.trace(context, place, width, height)) { continue }
      context.globalAlpha = this.picture.has_tiles ? 0.6 : 0.95
      context.fillStyle = this.area_colour(place)
      context.fill("evenodd")
      context.globalAlpha = 1
      context.strokeStyle = this.colours.coast
      context.lineWidth = 0.8
      context.stroke()
    }
  },

  outline_area(context, place) {
    const [width, height] = this.size()
    if (!this.areas.has(place) || !this.areas.trace(context, place, width, height)) { return }
    context.globalAlpha = 1
    context.strokeStyle = this.colours.text
    context.lineWidth = 1.5
    context.stroke()
  },
})
