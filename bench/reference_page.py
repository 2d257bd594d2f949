"""A small page as Panel and panel-material-ui serve it by default: what ours are compared with."""

import panel as pn
import panel_material_ui as pmui
from bokeh.plotting import figure

pn.extension(notifications=True)

YEARS = ["2020", "2030", "2040", "2050"]
plot = figure(height=420, sizing_mode="stretch_width", x_range=YEARS)
plot.vbar(x=YEARS, top=[1, 3, 2, 4], width=0.6)

pmui.Page(
    title="Reference",
    sidebar=[
        pmui.Select(label="Measure", options=["Final energy", "Generation"]),
        pmui.Switch(label="Stacked"),
        pmui.Button(label="Details"),
        pmui.Button(label="More"),
    ],
    main=[plot],
).servable()
