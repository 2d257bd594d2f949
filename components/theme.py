"""Colours, type and chart style of the user interface, for both themes.

Colours of *data* (fuels, sectors) come from the group table of the catalog, not from here.
Nothing refers to a font or a file outside the application.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bokeh.models import HoverTool
from bokeh.models.plots import Plot

FONT_STACK = (
    # No Roboto: panel-material-ui ships it, and Bokeh would load all its files for its charts.
    'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", Arial, sans-serif'
)
CODE_FONT_STACK = 'ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace'

BAR_HEIGHT = 56
RAIL_WIDTH = 300
DRAWER_WIDTH = 380


@dataclass(frozen=True)
class Palette:
    """Interface colours of one theme; every text colour has AA contrast on its surfaces."""

    background: str
    surface: str
    bar: str
    text: str
    muted: str
    line: str
    accent: str
    on_accent: str
    accent_soft: str
    error: str
    warning: str
    success: str


LIGHT = Palette(
    background="#f5f6f8",
    surface="#ffffff",
    bar="#ffffff",
    text="#17202a",
    muted="#56616f",
    line="#dde1e6",
    accent="#0b5c8a",
    on_accent="#ffffff",
    accent_soft="#e3eff6",
    error="#b3261e",
    warning="#8a5300",
    success="#1c6b3c",
)
DARK = Palette(
    background="#0e1216",
    surface="#151a20",
    bar="#10161c",
    text="#e8ecf0",
    muted="#a3adb8",
    line="#2b333c",
    accent="#7cc4ee",
    on_accent="#10161c",
    accent_soft="#1b3342",
    error="#ff8a80",
    warning="#f2b866",
    success="#7fd3a0",
)


def material_theme(palette: Palette, *, dark: bool) -> dict[str, Any]:
    """The Material UI theme made from a palette, as `theme_config` expects it."""
    heading = {"fontWeight": 600, "letterSpacing": 0}
    return {
        # How panel-material-ui styles Bokeh figures: no frame, no ticks, a light grid.
        "chart_style": "minimal",
        "palette": {
            "mode": "dark" if dark else "light",
            "primary": {"main": palette.accent, "contrastText": palette.on_accent},
            "secondary": {"main": palette.muted, "contrastText": palette.surface},
            "error": {"main": palette.error},
            "warning": {"main": palette.warning},
            "success": {"main": palette.success},
            "info": {"main": palette.accent},
            "background": {"default": palette.background, "paper": palette.surface},
            "text": {"primary": palette.text, "secondary": palette.muted},
            "divider": palette.line,
        },
        "shape": {"borderRadius": 6},
        "typography": {
            "fontFamily": FONT_STACK,
            "fontSize": 13,
            "h1": {**heading, "fontSize": "1.25rem"},
            "h2": {**heading, "fontSize": "1.125rem"},
            "h3": {**heading, "fontSize": "1rem"},
            "h4": {**heading, "fontSize": "0.9375rem"},
            "h5": {**heading, "fontSize": "0.875rem"},
            "h6": {**heading, "fontSize": "0.8125rem"},
            "button": {"textTransform": "none", "fontWeight": 500},
        },
        "components": {
            "MuiButtonBase": {"defaultProps": {"disableRipple": True}},
            "MuiPaper": {"styleOverrides": {"root": {"backgroundImage": "none"}}},
            # Named here rather than on the page: as a sheet on phones the rail is outside of it.
            "MuiDrawer": {
                "styleOverrides": {
                    "paper": {"&.sidebar > .MuiBox-root": {"padding": "12px 16px 24px"}}
                }
            },
            # Else its colour is that of the page below, which knows the light theme only.
            "MuiFormControlLabel": {"styleOverrides": {"label": {"color": palette.text}}},
            "MuiTab": {"styleOverrides": {"root": {"minHeight": 40}}},
        },
    }


THEME_CONFIG: dict[str, Any] = {
    "light": material_theme(LIGHT, dark=False),
    "dark": material_theme(DARK, dark=True),
}


def custom_properties(palette: Palette) -> str:
    """The palette as CSS custom properties, `--times-...`, for the page's own style sheets."""
    names = {
        "background": palette.background,
        "surface": palette.surface,
        "bar": palette.bar,
        "text": palette.text,
        "muted": palette.muted,
        "line": palette.line,
        "accent": palette.accent,
        "on-accent": palette.on_accent,
        "accent-soft": palette.accent_soft,
        "error": palette.error,
    }
    return " ".join(f"--times-{name}: {value};" for name, value in names.items())


def style_figure(
    figure: Plot, *, horizontal_grid: bool = True, vertical_grid: bool = False
) -> Plot:
    """Give a Bokeh figure the look of the application, in place: no frame, logo or toolbar.

    Colours of text, axes and grid follow the theme in the browser: panel-material-ui sets them on
    every figure, also when the theme is switched, so they are not set here.
    """
    figure.toolbar_location = None
    figure.toolbar.logo = None
    figure.outline_line_color = None
    figure.min_border = 4
    for grid in figure.xgrid:
        grid.visible = vertical_grid
    for grid in figure.ygrid:
        grid.visible = horizontal_grid
    for axis in figure.axis:
        axis.minor_tick_line_color = None
    for tool in figure.toolbar.tools:
        if isinstance(tool, HoverTool):
            tool.show_arrow = False
    return figure
