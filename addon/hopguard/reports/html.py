"""Findings as one HTML file, which needs no network and no scripts, and may be sent around."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from hopguard import __version__
from hopguard.extras import MissingExtraError
from hopguard.reports.page import Breakdown, breakdowns, made_from
from hopguard.reports.pictures import NARROW, WIDE, Bar, Bin, draw_bars, draw_timeline
from hopguard.reports.reading import SEVERITIES
from hopguard.reports.sections import make_sections
from hopguard.reports.summary import Summary

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

MOST_BARS = 10
"""Of one picture; the table below it has more."""

LABEL_LIMIT = 43
"""Characters above a bar; no rule of the catalogue has a longer name."""

NAMES = {"error": "Errors", "warning": "Warnings", "info": "Infos"}
"""Of the severities."""


def write_html(summary: Summary, out: TextIO, *, title: str, notes: Sequence[str] = ()) -> None:
    """Write the report on `summary` under `title`: a single file of less than 5 MB.

    `notes` are sentences on what the findings were read from, which it repeats at its end.

    Raises:
        MissingExtraError: what it is made with is not installed; nothing has been written.
        OSError: `out` cannot be written.
    """
    template = _template()
    sections = make_sections(summary)
    bins = _bins(summary)
    text = template.render(
        title=_visible(title),
        summary=summary,
        severities=NAMES,
        bins=bins,
        bin_length=_length(summary.timeline.step),
        timeline=_timeline(bins),
        breakdowns=[_picture(part) for part in breakdowns(summary, sections) if part.rows],
        sections=sections,
        made_from=list(made_from(summary, sections, notes)),
        version=__version__,
    )
    # In ASCII, so that it does not matter how `out` encodes.
    out.write(text.encode("ascii", "xmlcharrefreplace").decode())


def _template() -> "Template":
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("the HTML report", "report") from None
    environment = Environment(
        autoescape=True,
        loader=PackageLoader("hopguard.reports"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["moment"] = _moment
    return environment.get_template("report.html.j2")


def _visible(title: str) -> str:
    r"""Return what somebody called the report, anything invisible or reordering as `\u{N}`."""
    return "".join(
        character if character.isprintable() else f"\\u{{{ord(character):x}}}"
        for character in title
    )


def _bins(summary: Summary) -> list[Bin]:
    step = summary.timeline.step
    return [
        Bin(start, start + step, [counts[severity] for severity in SEVERITIES])
        for start, counts in summary.timeline
    ]


def _length(seconds: int) -> str:
    """Say how long a bar of the timeline is, in the largest unit that fits."""
    unit, name = next((unit, name) for unit, name in _UNITS if seconds % unit == 0)
    return name if seconds == unit else f"{seconds // unit} {name}s"


_UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _timeline(bins: Sequence[Bin]) -> dict[str, Any]:
    """Draw the timeline twice: a picture for the whole width is not readable on a phone."""
    if not bins:
        return {}
    highest = max(bins, key=lambda one: sum(one.counts))
    words = (
        f"Bar chart of the findings over time, stacked by severity: {len(bins)} bars from"
        f" {_moment(bins[0].start)} to {_moment(bins[-1].end)}. The highest begins at"
        f" {_moment(highest.start)}, with {sum(highest.counts):,}. The table below has the numbers."
    )
    return {
        "wide": _trusted(draw_timeline(bins, WIDE)),
        "narrow": _trusted(draw_timeline(bins, NARROW)),
        "words": words,
    }


def _picture(part: Breakdown) -> dict[str, Any]:
    """Draw the bars that go with a table."""
    rows = part.rows[:MOST_BARS]
    bars = [Bar(_fit(row.label), row.count, row.colour) for row in rows]
    rest = part.others or len(part.rows) > len(rows)
    listed = ", ".join(f"{row.label} {row.count:,}" for row in rows)
    return {
        "part": part,
        "most": MOST_BARS if rest else None,
        "picture": _trusted(draw_bars(bars)),
        "words": f"Bar chart of the findings by {part.name.lower()}: {listed}.",
    }


def _fit(label: str) -> str:
    return label if len(label) <= LABEL_LIMIT else f"{label[: LABEL_LIMIT - 3]}..."


def _trusted(svg: str) -> "Markup":
    """Say that `svg` is markup already: the library that draws it has escaped the labels."""
    from markupsafe import Markup

    return Markup(svg)
