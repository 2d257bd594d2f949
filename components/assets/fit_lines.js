// On a narrow screen the legend alone names the lines; their ends get the room.
const wide = figure.inner_width >= 520
ends.visible = wide
const {first, last} = figure.tags[0] ?? {first: 0, last: 1}
const span = Math.max(last - first, 1)
figure.x_range.end = last + (wide ? 0.24 : 0.04) * span
ticks.major_label_orientation = figure.inner_width < 420 ? Math.PI / 2 : "horizontal"
