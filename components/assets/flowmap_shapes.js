// From arcs on the map's plane to shapes in pixels: ways, lanes, widths, and what is under a point.

const HAIR = 1.25 // Up to so many pixels an arc is a hairline: 40 times as quick to draw.
const HEAD = 6.5

// Ways in pixels for a view; made anew when the view changes, not when values do.
class Ways {
  constructor(points, starts) {
    this.points = points
    this.starts = starts
    this.pixels = new Float32Array(points.length)
    this.boxes = new Float32Array(4 * Math.max(0, starts.length - 1))
  }

  get count() { return Math.max(0, this.starts.length - 1) }

  project({x0, y1, per_x, per_y}) {
    const {points, pixels, starts, boxes} = this
    for (let i = 0; i < points.length; i += 2) {
      pixels[i] = (points[i] - x0) * per_x
      pixels[i + 1] = (y1 - points[i + 1]) * per_y
    }
    for (let arc = 0; arc < this.count; arc++) {
      let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
      for (let p = 2 * starts[arc]; p < 2 * starts[arc + 1]; p += 2) {
        const x = pixels[p], y = pixels[p + 1]
        if (x < left) { left = x }
        if (x > right) { right = x }
        if (y < top) { top = y }
        if (y > bottom) { bottom = y }
      }
      boxes.set([left, top, right, bottom], 4 * arc)
    }
  }

  // A way that starts or ends at the map's edge, in pixels, in place of the one it has not.
  set_line(arc, from, to, bend) {
    const first = 2 * this.starts[arc]
    const count = this.starts[arc + 1] - this.starts[arc]
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
    for (let i = 0; i < count; i++) {
      const share = count > 1 ? i / (count - 1) : 0
      const swing = bend * 4 * share * (1 - share)
      this.pixels[first + 2 * i] = from[0] + share * dx - swing * dy
      this.pixels[first + 2 * i + 1] = from[1] + share * dy + swing * dx
    }
    const reach = Math.hypot(dx, dy) * Math.abs(bend)
    this.boxes.set([Math.min(from[0], to[0]) - reach, Math.min(from[1], to[1]) - reach,
      Math.max(from[0], to[0]) + reach, Math.max(from[1], to[1]) + reach], 4 * arc)
  }

  is_seen(arc, width, height, room) {
    const b = 4 * arc
    return this.boxes[b] < width + room && this.boxes[b + 2] > -room
      && this.boxes[b + 1] < height + room && this.boxes[b + 3] > -room
  }

  // Distance of a point to a way in pixels, up to a bound.
  distance(arc, x, y, bound) {
    const b = 4 * arc
    if (x < this.boxes[b] - bound || x > this.boxes[b + 2] + bound
      || y < this.boxes[b + 1] - bound || y > this.boxes[b + 3] + bound) { return Infinity }
    let least = Infinity
    const {pixels} = this
    for (let p = 2 * this.starts[arc]; p < 2 * this.starts[arc + 1] - 2; p += 2) {
      const ax = pixels[p], ay = pixels[p + 1]
      const dx = pixels[p + 2] - ax, dy = pixels[p + 3] - ay
      const length = dx * dx + dy * dy
      const along = length > 0 ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0
      const away = Math.hypot(x - ax - along * dx, y - ay - along * dy)
      if (away < least) { least = away }
    }
    return least
  }
}

// The points of a way between two places, moved aside to its lane and cut where circles begin.
// Returns pieces (a way over the map's edge has two); the last point is where the head's tip is.
function lane(ways, arc, aside, cut_start, cut_end) {
  const {pixels, starts} = ways
  const pieces = [[]]
  for (let p = 2 * starts[arc]; p < 2 * starts[arc + 1]; p += 2) {
    if (Number.isNaN(pixels[p])) {
      pieces.push([])
    } else {
      pieces.at(-1).push([pixels[p], pixels[p + 1]])
    }
  }
  const moved = pieces.filter((piece) => piece.length > 1).map((piece) => beside(piece, aside))
  if (!moved.length) { return [] }
  moved[0] = shortened(moved[0], cut_start)
  moved[moved.length - 1] = shortened(moved.at(-1).slice().reverse(), cut_end).reverse()
  return moved.filter((piece) => piece.length > 1)
}

function beside(piece, aside) {
  if (!aside) { return piece }
  return piece.map(([x, y], i) => {
    const [ax, ay] = piece[Math.max(0, i - 1)]
    const [bx, by] = piece[Math.min(piece.length - 1, i + 1)]
    const length = Math.hypot(bx - ax, by - ay) || 1
    return [x - aside * (by - ay) / length, y + aside * (bx - ax) / length]
  })
}

// Without its first so many pixels; at most two fifths of it go.
function shortened(piece, pixels) {
  let total = 0
  for (let i = 1; i < piece.length; i++) {
    total += Math.hypot(piece[i][0] - piece[i - 1][0], piece[i][1] - piece[i - 1][1])
  }
  let left = Math.min(pixels, 0.4 * total)
  for (let i = 1; i < piece.length; i++) {
    const [ax, ay] = piece[i - 1], [bx, by] = piece[i]
    const length = Math.hypot(bx - ax, by - ay)
    if (length > left) {
      const share = left / length
      return [[ax + share * (bx - ax), ay + share * (by - ay)], ...piece.slice(i)]
    }
    left -= length
  }
  return piece.slice(-2)
}

// Body and head of an arrow along pieces: polylines, and the triangle at their end.
function arrow(pieces, width) {
  const last = pieces.at(-1)
  const long = Math.max(HEAD, Math.min(20, 1.25 * width))
  const wide = Math.max(HEAD, width + Math.min(10, 0.9 * width + 3)) / 2
  const tip = last.at(-1)
  const backwards = shortened(last.slice().reverse(), long)
  const base = backwards[0]
  const length = Math.hypot(tip[0] - base[0], tip[1] - base[1]) || 1
  const [ux, uy] = [(tip[0] - base[0]) / length, (tip[1] - base[1]) / length]
  const head = [tip, [base[0] - wide * uy, base[1] + wide * ux], [base[0] + wide * uy, base[1] - wide * ux]]
  return {body: [...pieces.slice(0, -1), backwards.reverse()], head}
}

// What to fill for an arrow: its pieces as bands of a width, the last with the head at its end.
function outlines(body, head, width) {
  const [tip, one, other] = head
  return body.map((piece, i) => {
    const right = beside(piece, width / 2), left = beside(piece, -width / 2).reverse()
    return i < body.length - 1 ? [...right, ...left] : [...right, one, tip, other, ...left]
  })
}

function every_second(piece) {
  return piece.filter((_, i) => i % 2 === 0 || i === piece.length - 1)
}

const KINK = 12 // Pieces of so many pixels are seen as such, and drawn as a curve.

// The piece with its corners cut (Chaikin), as often as its kinks can be seen.
function rounded(piece) {
  for (let times = 0; times < 3; times++) {
    const at = Math.max(1, piece.length >> 1)
    const [ax, ay] = piece[at - 1], [bx, by] = piece[Math.min(at, piece.length - 1)]
    if (piece.length < 3 || Math.hypot(bx - ax, by - ay) < KINK) { break }
    const cut = [piece[0]]
    for (let i = 1; i < piece.length; i++) {
      const [px, py] = piece[i - 1], [qx, qy] = piece[i]
      if (i > 1) { cut.push([0.75 * px + 0.25 * qx, 0.75 * py + 0.25 * qy]) }
      if (i < piece.length - 1) { cut.push([0.25 * px + 0.75 * qx, 0.25 * py + 0.75 * qy]) }
    }
    cut.push(piece.at(-1))
    piece = cut
  }
  return piece
}

// Lanes of arcs that join the same places the same way: side by side, not on top of each other.
function lane_groups(ends, count) {
  const groups = new Map()
  for (let arc = 0; arc < count; arc++) {
    const key = `${ends[3 * arc]},${ends[3 * arc + 1]}`
    if (!groups.has(key)) { groups.set(key, []) }
    groups.get(key).push(arc)
  }
  return [...groups.values()].filter((group) => group.length > 1)
}
