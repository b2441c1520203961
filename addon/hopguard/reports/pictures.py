"""The pictures of the HTML report: bars, and a timeline, drawn as SVG while the report is made.

Vega-Lite draws them from data that is handed over, and nothing is fetched; the same findings give
the same octets. It escapes what labels say. Colours are variables that the page defines, so that
they follow its light and dark scheme.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hopguard.extras import MissingExtraError
from hopguard.reports.reading import SEVERITIES

NARROW, WIDE = 360, 1160
"""Widths in pixels: of a phone's screen, and of the whole page."""

TIMELINE_HEIGHT = 170

_BAR_STEP = 40
"""Pixels from one bar to the next: the label is above its bar, where a long one has room."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 10, 28
"""Pixels around the timeline, for what stands at its axes."""

_MOMENTS = {
    "year": "%Y",
    "quarter": "%Y-%m",
    "month": "%Y-%m",
    "week": "%m-%d",
    "date": "%m-%d",
    "hours": "%H:%M",
    "minutes": "%H:%M",
    "seconds": "%H:%M:%S",
    "milliseconds": "%S.%L",
}
"""How a moment is written, by the largest part of it that changes there."""

_VEGA_LITE = "6.4"
"""The edition of the grammar; without it, a newer library might draw another picture."""


@dataclass(frozen=True)
class Bar:
    """One bar."""

    label: str
    count: int
    colour: str = "bar"
    """Name of the page's variable, without the hyphens."""


class Bin(NamedTuple):
    """What was found in one part of the time, in seconds since the epoch."""

    start: float
    end: float
    counts: Sequence[int]
    """In the order of `SEVERITIES`, which is from the bottom to the top."""


def draw_bars(bars: Sequence[Bar]) -> str:
    """Draw one bar below the other, each under its label and its count.

    Raises:
        MissingExtraError: the library that draws is not installed.
    """
    rows = [
        {"row": row, "label": bar.label, "count": bar.count, "colour": _colour(bar.colour)}
        for row, bar in enumerate(bars)
    ]
    colour = {"field": "colour", "type": "nominal", "scale": None}
    bar_mark = {"type": "bar", "height": 9, "yOffset": 9, "strokeWidth": 1}
    text = {"type": "text", "baseline": "middle", "dy": -7}
    length = {"field": "count", "type": "quantitative", "axis": None, "scale": {"domainMin": 0}}
    return _draw(
        rows,
        width=NARROW - 2,
        height=_BAR_STEP * len(bars),
        padding=1,
        encoding={"y": {"field": "row", "type": "ordinal", "axis": None}},
        layer=[
            # The stroke keeps a bar visible that is a millionth of the longest one.
            {"mark": bar_mark, "encoding": {"x": length, "color": colour, "stroke": colour}},
            {
                "mark": text | {"align": "left"},
                "encoding": {"x": {"value": 0}, "text": {"field": "label"}},
            },
            {
                "mark": text | {"align": "right"},
                "encoding": {
                    "x": {"value": NARROW - 2},
                    "text": {"field": "count", "type": "quantitative", "format": ","},
                },
            },
        ],
    )


def draw_timeline(bins: Iterable[Bin], width: int) -> str:
    """Draw how many findings there were when, stacked by severity, `width` pixels wide.

    Raises:
        MissingExtraError: the library that draws is not installed.
    """
    time = {"type": "temporal", "title": None, "scale": {"type": "utc", "nice": False}}
    time_axis = {
        "grid": False,
        "tickCount": max(width // 130, 2),
        "labelFlush": True,
        "format": _MOMENTS,
    }
    count_axis = {"tickCount": 4, "tickMinStep": 1, "format": "~s", "domain": False, "ticks": False}
    return _draw(
        [part for bin_ in bins for part in _stack(bin_)],
        width=width - _LEFT - _RIGHT,
        height=TIMELINE_HEIGHT,
        padding={"left": _LEFT, "right": _RIGHT, "top": _TOP, "bottom": _BOTTOM},
        mark={"type": "bar", "strokeWidth": width / 2400},
        encoding={
            "x": time | {"field": "start", "axis": time_axis},
            "x2": {"field": "end"},
            "y": {"field": "from", "type": "quantitative", "title": None, "axis": count_axis},
            "y2": {"field": "to"},
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "stroke": {"value": _colour("paper")},
        },
    )


def _stack(bin_: Bin) -> Iterable[dict[str, Any]]:
    below = 0
    for severity, count in zip(SEVERITIES, bin_.counts, strict=True):
        if count:
            yield {
                "start": round(bin_.start * 1000),
                "end": round(bin_.end * 1000),
                "from": below,
                "to": below + count,
                "colour": _colour(severity),
            }
        below += count


def _colour(name: str) -> str:
    return f"var(--{name})"


def _draw(rows: Sequence[dict[str, Any]], **spec: Any) -> str:
    """Draw `spec` with `rows` as its data. Sizes are fixed, never measured from text."""
    try:
        import vl_convert
    except ImportError:
        raise MissingExtraError("the HTML report", "report") from None
    text = {"labelColor": "currentColor", "labelFontSize": 12}
    lines = {"domainColor": _colour("line"), "tickColor": _colour("line")}
    config = {
        "aria": False,
        "view": {"stroke": None},
        "axis": text | lines | {"gridColor": _colour("line")},
        "text": {"color": "currentColor", "fontSize": 12},
    }
    return vl_convert.vegalite_to_svg(
        {"data": {"values": rows}, "background": None, "autosize": "none", **spec},
        vl_version=_VEGA_LITE,
        config=config,
        allowed_base_urls=[],
    )
