// Shapes of a Sankey's bands, from numbers alone, and what lies between two pictures.

const round = (number) => Math.round(number * 100) / 100

// Slopes at the points a band passes, flat at both ends: monotone, so that it never swings out.
function slopes_of(points) {
  return points.map(([x, y], i) => {
    if (i === 0 || i === points.length - 1) { return 0 }
    const before = (y - points[i - 1][1]) / (x - points[i - 1][0])
    const after = (points[i + 1][1] - y) / (points[i + 1][0] - x)
    return before * after > 0 ? 1.4 * before * after / (before + after) : 0
  })
}

// One edge of a band, `offset` below its middle. Where a band is steep its upper edge turns later
// and its lower one earlier (or the other way round), so that it keeps its thickness.
function edge_pieces(points, slopes, offset) {
  const pieces = []
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1]
    const [x1, y1] = points[i]
    const handle = (x1 - x0) / 2
    const angle = Math.atan2(1.5 * (y1 - y0), 1.5 * handle)
    const limit = 0.8 * handle
    const shift = Math.max(-limit, Math.min(limit, -offset * Math.tan(angle / 2)))
    const first = handle + shift
    const second = handle - shift
    pieces.push([
      [x0, y0 + offset],
      [x0 + first, y0 + slopes[i - 1] * first + offset],
      [x1 - second, y1 - slopes[i] * second + offset],
      [x1, y1 + offset],
    ])
  }
  return pieces
}

const text_of = (point) => `${round(point[0])},${round(point[1])}`

function ribbon(points, from, to) {
  const slopes = slopes_of(points)
  const upper = edge_pieces(points, slopes, from)
  const lower = edge_pieces(points, slopes, to)
  const there = upper.map((piece) => `C${piece.slice(1).map(text_of).join(" ")}`)
  const back = lower.reverse().map(([a, b, c]) => `C${[c, b, a].map(text_of).join(" ")}`)
  return `M${text_of(upper[0][0])}${there.join("")}L${text_of(lower[0][3])}${back.join("")}Z`
}

// Around the outside: right of the source, along `y`, left of the target. Below, all turns are to
// the right, above all to the left; `offset` is below the middle where the band leaves.
function around(points, detour, from, to) {
  const [start, y0] = points[0]
  const [end, y1] = points.at(-1)
  const {x_out, x_in, y, radius} = detour
  const down = y > y0 ? 1 : -1
  const edge = (offset, backwards) => {
    const r = Math.max(radius - down * offset, 0.01)
    const arc = (x, y) =>
      `A${round(r)},${round(r)} 0 0 ${(down > 0) === backwards ? 0 : 1} ${round(x)},${round(y)}`
    const along = y - offset
    const steps = [
      [start, y0 + offset], [x_out, y0 + offset],
      [x_out + r, y0 + down * radius], [x_out + r, y - down * radius], [x_out, along],
      [x_in, along], [x_in - r, y - down * radius], [x_in - r, y1 + down * radius],
      [x_in, y1 + offset], [end, y1 + offset],
    ]
    // Into these steps a turn leads; walked backwards, out of the same places.
    const turns = new Set(backwards ? [1, 3, 5, 7] : [2, 4, 6, 8])
    const order = backwards ? [...steps.keys()].reverse() : [...steps.keys()]
    return order.map((step, place) => {
      const [x, y] = steps[step]
      return place && turns.has(step) ? arc(x, y) : `${place ? "L" : ""}${round(x)},${round(y)}`
    }).join("")
  }
  return `M${edge(from, false)}L${edge(to, true)}Z`
}

// The part of a link's band from `from` to `to` pixels below its upper edge.
function band(link, from, to) {
  const top = -link.width / 2
  return link.detour
    ? around(link.points, link.detour, top + from, top + to)
    : ribbon(link.points, top + from, top + to)
}

// A line between two points, flat at both ends.
function curve([x0, y0], [x1, y1]) {
  const middle = (x0 + x1) / 2
  return `M${text_of([x0, y0])}C${[[middle, y0], [middle, y1], [x1, y1]].map(text_of).join(" ")}`
}

// An arrow on a back link, where it runs against the direction of all others.
function arrow(link) {
  const {x_out, x_in, y} = link.detour
  const half = Math.max(4, Math.min(link.fill * 0.3, 9))
  const middle = y + (link.width - link.fill) / 2
  const x = (x_out + x_in) / 2
  return `M${round(x - half)},${round(middle)}l${round(2 * half)},${round(-half)}v${round(2 * half)}Z`
}

// ---------------------------------------------------------------------- between two pictures

const between = (from, to, part) => from + (to - from) * part

// Height of a band's middle at a share of its way, roughly: where a changed band sets out from.
function height_at(points, share) {
  const x = between(points[0][0], points.at(-1)[0], share)
  const i = Math.max(1, points.findIndex(([there]) => there >= x))
  const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]]
  const part = x1 > x0 ? (x - x0) / (x1 - x0) : 0
  return between(y0, y1, part * part * (3 - 2 * part))
}

function with_as_many_points(points, wanted) {
  if (points.length === wanted.length) { return points }
  const [first, last] = [wanted[0][0], wanted.at(-1)[0]]
  return wanted.map(([x]) => {
    const share = last > first ? (x - first) / (last - first) : 0
    return [between(points[0][0], points.at(-1)[0], share), height_at(points, share)]
  })
}

// A link on its way from one picture to another.
function link_between(from, to, part) {
  if (part >= 1 || !from || !from.detour !== !to.detour) { return to }
  const start = with_as_many_points(from.points, to.points)
  const moved = {
    ...to,
    points: to.points.map(([x, y], i) => [between(start[i][0], x, part), between(start[i][1], y, part)]),
  }
  for (const name of ["width", "fill", "base"]) {
    moved[name] = to[name] === null ? null : between(from[name] ?? to[name], to[name], part)
  }
  if (to.detour) {
    moved.detour = {}
    for (const name of Object.keys(to.detour)) {
      moved.detour[name] = between(from.detour[name], to.detour[name], part)
    }
  }
  return moved
}

function node_between(from, to, part) {
  if (part >= 1 || !from) { return to }
  const moved = {...to}
  for (const name of ["x0", "y0", "x1", "y1", "fill", "base"]) {
    moved[name] = to[name] === null ? null : between(from[name] ?? to[name], to[name], part)
  }
  return moved
}
