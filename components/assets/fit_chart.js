// Keeps labels from running into each other, whatever the width of the screen.
const width = figure.inner_width
const shown = figure.tags[0]
if (shown?.kind === "bars" && width > 0) {
  const {slots, longest_tick, blocks} = shown
  const per_slot = width / slots
  ticks.major_label_orientation = per_slot < 6.5 * longest_tick + 4 ? Math.PI / 2 : "horizontal"
  sums.visible = per_slot >= 32
  const per_block = width / Math.max(blocks.length, 1)
  outer.major_label_overrides = new Map(blocks.map(([position, text]) =>
    [position, text.length * 6.5 + 4 > per_block ? text.replaceAll(" ", "\n") : text]))
}
if (shown?.kind === "lines") {
  // On a narrow screen the legend alone names the lines; their ends get the room.
  const wide = width >= 520
  ends.visible = wide
  const {first, last, years} = shown
  figure.x_range.end = last + (wide ? 0.24 : 0.04) * Math.max(last - first, 1)
  const gaps = years.slice(1).map((year, place) => year - years[place])
  const least_gap = Math.min(...gaps) / (figure.x_range.end - figure.x_range.start) * width
  ticks.major_label_orientation = least_gap < 38 ? Math.PI / 2 : "horizontal"
}
