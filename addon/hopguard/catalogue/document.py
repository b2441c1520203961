"""A small document in blocks, and how it looks in a terminal and as Markdown."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_SPECIAL = re.compile(r"[\\`*<>\[\]|]|(?<![^\W_])_|_(?![^\W_])")
_REFERENCE = re.compile(r"\b([\w.-]+/[\w.-]+)#(\d+)\b")

_UNDERLINES = {1: "=", 2: "-"}
"""Of headings in a terminal, by their level."""


@dataclass(frozen=True)
class Heading:
    """The title of the document, or of a part of it."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


class Item(NamedTuple):
    """One fact, with the address that tells more."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Facts:
    """A table of labels, each with its facts."""

    rows: Sequence[tuple[str, Sequence[Item]]]


@dataclass(frozen=True)
class Example:
    """A transcript: see `hopguard.transcript`."""

    text: str


Block = Heading | Paragraph | Facts | Example


def wrap(text: str, width: int, indent: str = "", hanging: str | None = None) -> str:
    """Fill `text` to `width`; names with hyphens and addresses stay whole."""
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def example_lines(text: str) -> list[str]:
    """Show a transcript, the marked lines underlined with carets."""
    shown: list[str] = []
    for line in textwrap.dedent(text).strip("\n").splitlines():
        if line[1:2] != "!":
            shown.append(line.rstrip())
            continue
        content = line[2:].strip()
        shown += [f"{line[0]} {content}", f"  {'^' * len(content)}"]
    return shown


def as_text(blocks: Iterable[Block], width: int) -> str:
    """Render `blocks` for a terminal of `width` columns."""
    return "\n\n".join(_text(block, width) for block in blocks)


def _text(block: Block, width: int) -> str:
    if isinstance(block, Heading):
        underline = _UNDERLINES.get(block.level)
        return f"{block.text}\n{underline * len(block.text)}" if underline else f"{block.text}:"
    if isinstance(block, Paragraph):
        return wrap(block.text, width)
    if isinstance(block, Example):
        return textwrap.indent("\n".join(example_lines(block.text)), "    ")
    column = max(len(label) for label, _ in block.rows) + 4
    return "\n".join(_row(label, items, column, width) for label, items in block.rows)


def _row(label: str, items: Sequence[Item], column: int, width: int) -> str:
    indent = " " * column
    lines = [wrap(text, width, indent) for item in items for text in item if text]
    return f"  {label}".ljust(column) + "\n".join(lines)[column:]


def blocks_as_data(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Return `blocks` as plain data, each with its kind, for whoever shows them."""
    return [_data(block) for block in blocks]


def _data(block: Block) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {"kind": "heading", "text": block.text, "level": block.level}
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "text": " ".join(block.text.split())}
    if isinstance(block, Example):
        return {"kind": "example", "lines": example_lines(block.text)}
    rows = [[label, [item._asdict() for item in items]] for label, items in block.rows]
    return {"kind": "facts", "rows": rows}


def as_markdown(blocks: Iterable[Block]) -> str:
    """Render `blocks` as Markdown."""
    return "\n\n".join(_markdown(block) for block in blocks)


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {escape(block.text)}"
    if isinstance(block, Paragraph):
        return _with_links(escape(" ".join(block.text.split())))
    if isinstance(block, Example):
        return "\n".join(["```text", *example_lines(block.text), "```"])
    return "\n".join(
        f"- {label}: {'; '.join(_linked(item) for item in items)}" for label, items in block.rows
    )


def _linked(item: Item) -> str:
    return link(item.text, item.url) if item.url else escape(item.text)


def link(text: str, url: str) -> str:
    """Write a link in Markdown."""
    return f"[{escape(text)}]({url})"


def escape(text: str) -> str:
    """Take from `text` what Markdown would act on."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def _with_links(text: str) -> str:
    """Link the threads on GitHub that `text` refers to, as in `golang/go#46313`."""
    return _REFERENCE.sub(r"[\g<0>](https://github.com/\1/issues/\2)", text)
