// Keeps the labels of a bar chart from running into each other, whatever the width of the screen.
const {slots, longest_tick, blocks} = figure.tags[0] ?? {slots: 1, longest_tick: 1, blocks: []}
const per_slot = figure.inner_width / slots
if (per_slot > 0) {
  ticks.major_label_orientation = per_slot < 6.5 * longest_tick + 4 ? Math.PI / 2 : "horizontal"
  sums.visible = per_slot >= 32 && slots <= most_sums
  const per_block = figure.inner_width / Math.max(blocks.length, 1)
  const overrides = new Map()
  for (const [position, text] of blocks) {
    const broken = text.length * 6.5 + 4 > per_block ? text.replaceAll(" ", "\n") : text
    overrides.set(position, broken)
  }
  outer.major_label_overrides = overrides
}
