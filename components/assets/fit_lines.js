// On a narrow screen the legend alone names the lines; their ends get the room.
const wide = figure.inner_width >= 520
ends.visible = wide
const {first, last} = figure.tags[0] ?? {first: 0, last: 1}
const span = Math.max(last - first, 1)
figure.x_range.end = last + (wide ? 0.24 : 0.04) * span
const years = ticks.ticker.ticks
const gaps = years.slice(1).map((year, place) => year - years[place])
const shown = figure.x_range.end - figure.x_range.start
const least_gap = Math.min(...gaps) / shown * figure.inner_width
ticks.major_label_orientation = least_gap < 38 ? Math.PI / 2 : "horizontal"
