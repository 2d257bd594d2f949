// Names of places beside their circles, the most important first, none over another.

const LABEL_FONT = 12
const MOST_LABELS = 160

function place_labels(places, measure, width, height) {
  const taken = places.slice(0, 600).map(({x, y, r}) => [x - r, y - r, x + r, y + r])
  const placed = []
  const free = (box) => box[0] > 2 && box[1] > 2 && box[2] < width - 2 && box[3] < height - 2
    && !taken.some((other) =>
      box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])
  for (const place of places) {
    if (placed.length >= MOST_LABELS) { break }
    const {x, y, r, name} = place
    if (!name || x < 0 || y < 0 || x > width || y > height) { continue }
    const wide = measure(name), tall = LABEL_FONT + 2
    const gap = r + 4
    const ways = [
      [x + gap, y - tall / 2, "left"], [x - gap - wide, y - tall / 2, "left"],
      [x - wide / 2, y + gap - 1, "left"], [x - wide / 2, y - gap - tall + 1, "left"],
    ]
    const found = ways.find(([left, top]) => free([left - 2, top, left + wide + 2, top + tall]))
    if (!found) { continue }
    const [left, top] = found
    taken.push([left - 2, top, left + wide + 2, top + tall])
    placed.push({name, x: left, y: top + LABEL_FONT - 1, code: place.code})
  }
  return placed
}
