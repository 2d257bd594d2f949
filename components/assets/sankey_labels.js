// Labels of nodes: measured, broken into lines, and where there is no room beside their node put
// above, below or before it. What fits nowhere is shortened, or left out where two would overlap;
// the larger node keeps its label.

const LINE_HEIGHT = 16
const BESIDE = 6
const AMOUNT_SPACE = 7
const MOST_LABEL = 220
const MOST_LINES = 3
const JOIN_SEEN = 18

// Measures text, each once; names of nodes that open are bold.
function make_ruler(family) {
  const context = document.createElement("canvas").getContext("2d")
  const known = {400: new Map(), 600: new Map()}
  return (text, is_bold = false) => {
    const weight = is_bold ? 600 : 400
    if (!known[weight].has(text)) {
      context.font = `${weight} 12.5px ${family}`
      known[weight].set(text, context.measureText(text).width)
    }
    return known[weight].get(text)
  }
}

function shortened(text, room, measure) {
  if (measure(text) <= room) { return text }
  let [fits, fails] = [0, text.length]
  while (fails - fits > 1) {
    const middle = (fits + fails) >> 1
    if (measure(`${text.slice(0, middle).trimEnd()}…`) <= room) { fits = middle } else { fails = middle }
  }
  return fits ? `${text.slice(0, fits).trimEnd()}…` : ""
}

const overlap = (one, other) =>
  one.x0 < other.x1 && other.x0 < one.x1 && one.y0 < other.y1 && other.y0 < one.y1

// Where labels may stand: outside of the first layer and, if there is no room, before the last;
// else behind their node, at its middle first, or around it.
function places_of(node, columns, width) {
  const is_last = Math.abs(node.x0 - columns.at(-1)) < 1 && columns.length > 1
  const outside = Math.abs(node.x0 - columns[0]) < 1 && node.x0 >= 60
  if (outside || (is_last && width - node.x1 < 60)) { return [{side: "left", at: 0.5}] }
  const behind = [0.5, ...(node.y1 - node.y0 > 3 * LINE_HEIGHT ? [0.25, 0.75, 0, 1] : [])]
  const around = node.service ? [] : [{side: "above"}, {side: "below"}, {side: "left", at: 0.5}]
  return [...behind.map((at) => ({side: "right", at})), ...around]
}

// The box of so many lines at a place, `wide` as they are; `middle` is its height.
function box_at(node, {side, at}, lines, wide, height) {
  const half = lines * LINE_HEIGHT / 2
  const [top, bottom] = [node.y0 + Math.min(half, (node.y1 - node.y0) / 2), node.y1 - Math.min(half, (node.y1 - node.y0) / 2)]
  const wanted = {above: node.y0 - half - 1, below: node.y1 + half + 1}[side] ?? top + (bottom - top) * at
  const middle = Math.max(half, Math.min(height - half, wanted))
  const start = {right: node.x1 + BESIDE, left: node.x0 - BESIDE - wide}[side] ?? node.x0
  return {x0: start - 2, x1: start + wide + 2, y0: middle - half, y1: middle + half, middle}
}

// How wide a label may be at a place, to the next box at its height or the edge of the picture.
// Before what a node is joined to, a part of the join is to be seen.
function room_at(node, {side}, {y0, y1}, {nodes, joins, width}) {
  const in_the_way = nodes.filter((other) => other !== node && other.y0 < y1 && other.y1 > y0)
  if (side === "left") {
    const ends = in_the_way.map((other) => other.x1).filter((x) => x <= node.x0)
    return node.x0 - 2 * BESIDE - Math.max(0, ...ends)
  }
  if (side !== "right" && in_the_way.some((other) => Math.abs(other.x0 - node.x0) < 1)) { return 0 }
  const ends = in_the_way.map((other) => other.x0).filter((x) => x >= node.x1)
  if (joins.some(({source}) => source === node.id)) {
    ends.push(Math.min(...nodes.filter((other) => other.service).map(({x0}) => x0)) - JOIN_SEEN)
  }
  return Math.min(width, ...ends) - (side === "right" ? node.x1 + BESIDE : node.x0) - 3
}

// What is written of each node: {side, names, amount, second, lines, x, y} by id, x and y from its
// top left corner.
function place_labels(picture, measure) {
  const {nodes, width, height} = picture
  const columns = nodes.filter((node) => !node.service).map((node) => node.x0).sort((a, b) => a - b)
  const size = (node) => node.y1 - node.y0
  const taken = []
  const labels = new Map()
  const by_size = [...nodes].sort((a, b) => size(b) - size(a) || (a.id < b.id ? -1 : 1))
  const options = new Map(by_size.map((node) => [node.id, options_of(node, columns, picture, measure)]))
  // What is short and stands beside its node comes first: others must not push it out.
  for (const rank of [0, 1, 2]) {
    for (const node of by_size.filter(({id}) => !labels.has(id))) {
      for (const option of options.get(node.id).filter((each) => each.rank <= rank)) {
        const {place, ...wording} = option
        const box = box_at(node, place, wording.lines, wording.wide, height)
        if (box.x0 < -2 || box.x1 > width + 2 || taken.some((other) => overlap(box, other))) { continue }
        taken.push(box)
        const x = place.side === "left" ? box.x1 - 2 : box.x0 + 2
        labels.set(node.id, {...wording, side: place.side, x: x - node.x0, y: box.middle - node.y0})
        break
      }
    }
  }
  return labels
}

// All that may be written of a node and where, the best first. Rank 0 is a whole name beside its
// node that is no higher than it, 1 a whole name anywhere, 2 a name that is cut.
function options_of(node, columns, picture, measure) {
  const found = []
  for (const place of places_of(node, columns, picture.width)) {
    const room = (lines) => room_at(node, place, box_at(node, place, lines, 0, picture.height), picture)
    const is_beside = place.side === "right" || columns[0] === node.x0 || node.service
    for (const wording of wordings(node, room, measure)) {
      if (!is_beside && wording.lines > 2) { continue }
      const is_low = wording.lines === 1 || node.service || wording.lines * LINE_HEIGHT <= node.y1 - node.y0 + LINE_HEIGHT
      const rank = wording.cut ? 2 : is_beside && is_low ? 0 : 1
      const worse = Number(wording.cut) * 4 + Number(!is_beside) * 2 + Number(Boolean(node.amount && !wording.amount))
      found.push({...wording, place, rank, worse})
    }
  }
  return found.sort((a, b) => a.worse - b.worse)
}

// A text in so many lines of nearly the same width, broken at spaces; null if it has too few.
function broken(text, count, measure) {
  if (count === 1) { return [text] }
  let best = null
  for (const {index} of text.matchAll(/ /g)) {
    const rest = broken(text.slice(index + 1), count - 1, measure)
    if (!rest) { continue }
    const lines = [text.slice(0, index), ...rest]
    const wide = Math.max(...lines.map((line) => measure(line)))
    if (!best || wide < best.wide) { best = {lines, wide} }
  }
  return best && best.lines
}

// A text as two lines where the second has to be cut; null if not even the first word fits.
function filling(text, room, measure) {
  const breaks = [...text.matchAll(/ /g)].map(({index}) => index).filter((end) => measure(text.slice(0, end)) <= room)
  if (!breaks.length) { return null }
  const end = breaks.at(-1)
  const rest = shortened(text.slice(end + 1), room, measure)
  return rest.length > 3 ? [text.slice(0, end), rest] : null
}

// From the fullest to the barest that there is room for; `room(lines)` in pixels. `names` are the
// lines of the label, `lines` counts all of them.
function* wordings(node, room, measure) {
  const {label, amount, second} = node
  const name = (text) => measure(text, node.opens)
  const within = (lines) => Math.min(room(lines), MOST_LABEL)
  const worded = (names, lines, more = {}) => ({
    names, lines, cut: names.join(" ") !== label, ...more,
    wide: Math.max(...names.map(name), measure(more.amount || ""), measure(more.second || "")),
  })
  const tall = node.y1 - node.y0
  const whole = [1, 2, ...(tall >= LINE_HEIGHT ? [MOST_LINES] : [])].map((count) => broken(label, count, name)).filter(Boolean)
  const fits = (texts, lines) => texts.every((text) => name(text) <= within(lines))
  const stacks = amount && (node.service || tall >= 2 * LINE_HEIGHT)
  if (stacks) {
    for (const names of whole) {
      const lines = names.length + 1
      if (second && fits(names, lines + 1) && Math.max(measure(amount), measure(second)) <= within(lines + 1)) {
        yield worded(names, lines + 1, {amount, second})
      }
      if (fits(names, lines) && measure(amount) <= within(lines)) { yield worded(names, lines, {amount}) }
    }
  }
  const beside = name(label) + (amount ? AMOUNT_SPACE + measure(amount) : 0)
  if (amount && beside <= room(1)) {
    yield {names: [label], amount, lines: 1, cut: false, wide: beside}
  }
  for (const names of whole) {
    if (fits(names, names.length)) { yield worded(names, names.length) }
  }
  // A stub of a name says nothing, and a number without a name neither.
  const filled = filling(label, within(2), name)
  if (stacks && filled && measure(amount) <= within(3)) { yield worded(filled, 3, {amount}) }
  if (filled) { yield worded(filled, 2) }
  // What other labels are in the way of may still be had shorter.
  for (const most of [MOST_LABEL, 90, 60]) {
    const text = shortened(label, Math.min(room(1), most), name)
    if (text.length > 4 && text !== label) { yield worded([text], 1) }
  }
}
