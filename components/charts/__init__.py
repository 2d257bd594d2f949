"""Charts: pure layouts of answers into marks, and the figure that draws them."""
