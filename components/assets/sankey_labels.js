// Labels beside nodes: measured, shortened to the room there is, and left out where two would
// overlap; the larger node keeps its label.

const LINE_HEIGHT = 16
const BESIDE = 6
const AMOUNT_SPACE = 7
const MOST_LABEL = 220
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

// On which side of its node a label goes: outside of the first layer and, if there is room, of the
// last; else at the right.
function side_of(node, columns, width) {
  if (Math.abs(node.x0 - columns[0]) < 1 && node.x0 >= 60) { return "left" }
  const is_last = Math.abs(node.x0 - columns.at(-1)) < 1 && columns.length > 1
  return is_last && width - node.x1 < 60 ? "left" : "right"
}

// How wide a label may be, from its node to the next box at its height or the edge of the picture.
// Before what a node is joined to, a part of the join is to be seen.
function room_for(node, side, top, bottom, {nodes, joins, width}) {
  const in_the_way = nodes.filter((other) => other !== node && other.y0 < bottom && other.y1 > top)
  if (side === "left") {
    const ends = in_the_way.map((other) => other.x1).filter((x) => x <= node.x0)
    return node.x0 - 2 * BESIDE - Math.max(0, ...ends)
  }
  const ends = in_the_way.map((other) => other.x0).filter((x) => x >= node.x1)
  if (joins.some(({source}) => source === node.id)) {
    ends.push(Math.min(...nodes.filter((other) => other.service).map(({x0}) => x0)) - JOIN_SEEN)
  }
  return Math.min(width, ...ends) - node.x1 - BESIDE - 3
}

const overlap = (one, other) =>
  one.x0 < other.x1 && other.x0 < one.x1 && one.y0 < other.y1 && other.y0 < one.y1

// What is written beside each node: {side, names, amount, second, lines, y} by id, y from the node's top.
function place_labels(picture, measure) {
  const {nodes, width, height} = picture
  const columns = nodes.map((node) => node.x0).sort((a, b) => a - b)
  const size = (node) => node.y1 - node.y0
  const taken = []
  const labels = new Map()
  const by_size = [...nodes].sort((a, b) => size(b) - size(a) || (a.id < b.id ? -1 : 1))
  // Whole names on one line, or no higher than their node, first: others must not push them out.
  for (const only_firm of [true, false]) {
    for (const node of by_size.filter(({id}) => !labels.has(id))) {
      const side = side_of(node, columns, width)
      const box_of = (lines, wide) => {
        const half = lines * LINE_HEIGHT / 2
        const middle = Math.max(half, Math.min(height - half, (node.y0 + node.y1) / 2))
        const x0 = side === "right" ? node.x1 + BESIDE : node.x0 - BESIDE - wide
        return {x0: x0 - 2, x1: x0 + wide + 2, y0: middle - half, y1: middle + half, middle}
      }
      const room = (lines) => {
        const {y0, y1} = box_of(lines, 0)
        return room_for(node, side, y0, y1, picture)
      }
      for (const wording of wordings(node, room, measure)) {
        const firm = wording.lines === 1 ? wording.names[0] === node.label : node.service || wording.lines * LINE_HEIGHT <= size(node) + LINE_HEIGHT
        if (only_firm && !firm) { continue }
        const box = box_of(wording.lines, wording.wide)
        if (!taken.some((other) => overlap(box, other))) {
          taken.push(box)
          labels.set(node.id, {...wording, side, y: box.middle - node.y0})
          break
        }
      }
    }
  }
  return labels
}

// A text as two lines of nearly the same width, broken at a space; null for a single word.
function broken(text, measure) {
  const breaks = [...text.matchAll(/ /g)].map(({index}) => [text.slice(0, index), text.slice(index + 1)])
  const wide = (lines) => Math.max(...lines.map((line) => measure(line)))
  return breaks.sort((a, b) => wide(a) - wide(b))[0] || null
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
  const short = (text, lines) => shortened(text, Math.min(room(lines), MOST_LABEL), name)
  const worded = (names, lines, more = {}) => ({
    names, lines, ...more, wide: Math.max(...names.map(name), measure(more.amount || ""), measure(more.second || "")),
  })
  const tall = node.y1 - node.y0
  const in_two = broken(label, name)
  const fits = (texts, lines) => texts.every((text) => name(text) <= Math.min(room(lines), MOST_LABEL))
  if (amount && (node.service || tall >= 2 * LINE_HEIGHT) && measure(amount) <= room(2)) {
    const two = in_two && (fits(in_two, 3) ? in_two : filling(label, room(3), name))
    const names = fits([label], 2) || !two ? [short(label, 2)] : two
    const lines = names.length + 1
    const ending = second ? shortened(second, Math.min(room(lines + 1), MOST_LABEL), measure) : ""
    // A stub of a name says nothing, and a number without a name neither.
    const says = names.length > 1 || names[0] === label || names[0].length > 4
    if (says && ending.length > 0.6 * (second || "").length) {
      yield worded(names, lines + 1, {amount, second: ending})
    }
    if (says) { yield worded(names, lines, {amount}) }
  }
  const beside = name(label) + (amount ? AMOUNT_SPACE + measure(amount) : 0)
  if (amount && beside <= room(1)) {
    yield {names: [label], amount, lines: 1, wide: beside}
  }
  if (fits([label], 1)) { yield worded([label], 1) }
  if (in_two && fits(in_two, 2)) { yield worded(in_two, 2) }
  const filled = in_two && filling(label, room(2), name)
  if (filled) { yield worded(filled, 2) }
  // What other labels are in the way of may still be had shorter.
  for (const most of [MOST_LABEL, 90, 60]) {
    const text = shortened(label, Math.min(room(1), most), name)
    if (text.length > 4 || text === label) { yield worded([text], 1) }
  }
}
