"""Charts: pure layouts of frames into marks, and the HoloViews elements that draw them."""
