"""The content view: a message's field lines, each with its class and what was found about it."""

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from mitmproxy import contentviews, http

from hopguard.message import Message
from hopguard.mitm import flows, view
from hopguard.record import Redaction
from hopguard.rules import load_rules

if TYPE_CHECKING:  # mitmproxy 11 does not have it
    from mitmproxy.contentviews import Metadata

logger = logging.getLogger(__name__)

NAME = "Hopguard"

WIDTH = 78
"""Columns that running text is filled to."""

NOT_HTTP = "Hopguard judges HTTP requests and responses; this is neither."

_EMPTY_LINE = re.compile("^$", re.MULTILINE)

PRIORITY, LOW_PRIORITY, NEVER = 2.0, 0.2, -1.0
"""Of this view for a message without content: above every other view if something was found,
otherwise above the one that shows the empty content, and below the one that shows the query."""


class HopguardView:
    """What mitmproxy calls a content view; see `mitmproxy.contentviews.Contentview`."""

    name = NAME
    syntax_highlight: Literal["none"] = "none"

    def __init__(self) -> None:
        self.redaction = Redaction()
        """Of what is not shown."""

    def __lt__(self, other: Any) -> bool:
        return bool(self.name < other.name)

    def render_priority(self, data: bytes, metadata: "Metadata") -> float:
        """Ask to be chosen only where there is no content to look at."""
        flow, message = metadata.flow, metadata.http_message
        if data or message is None or not isinstance(flow, http.HTTPFlow):
            return NEVER
        part = "request" if isinstance(message, http.Request) else "response"
        parts = [record["part"] or "" for record in view.read(flow)[0]]
        return PRIORITY if any(one.startswith(part) for one in parts) else LOW_PRIORITY

    def prettify(self, data: bytes, metadata: "Metadata") -> str:
        """Show the message, in printable ASCII; where that is impossible, say so."""
        flow, message = metadata.flow, metadata.http_message
        if message is None or not isinstance(flow, http.HTTPFlow):
            return NOT_HTTP
        try:
            return self._show(flow, message)
        except Exception as error:  # a bug of ours must not take the flow from people's sight
            logger.debug("hopguard: the content view failed", exc_info=True)
            return f"Hopguard cannot show this message: {type(error).__name__}."

    def _show(self, flow: http.HTTPFlow, message: http.Message) -> str:
        # mitmweb shows a line without any character as no line.
        return _EMPTY_LINE.sub(" ", show(flow, message, self.redaction))


def show(
    flow: http.HTTPFlow, message: http.Message, redaction: Redaction, width: int = WIDTH
) -> str:
    """Show a message of `flow` with what was found, in lines of printable ASCII."""
    from hopguard.annotation import annotate  # as below: only where people look
    from hopguard.catalogue.document import wrap

    records, left_out = view.read(flow)
    before = _message(flow, message)
    shown = annotate(before, records, redaction, load_rules(), width)
    changed = _changes(before, message, redaction)
    if changed:
        lines = [wrap(f"- {text}", width, hanging="  ") for text in changed]
        shown += "\n\n" + "\n".join(["This is what was received. Sent on with changes:", *lines])
    if left_out:
        number = f"{left_out} record{'' if left_out == 1 else 's'}"
        shown += f"\n\n{number} of this flow left out: too many, or unreadable."
    return shown


def _changes(before: Message, message: http.Message, redaction: Redaction) -> list[str]:
    """Say in what the field lines that are sent on differ from those that were received."""
    from hopguard.differences import describe

    sent = replace(before, fields=tuple(message.headers.fields))
    texts = describe(before, sent, redaction).values()
    return [text for group in texts for text in group]


def _message(flow: http.HTTPFlow, message: http.Message) -> Message:
    if isinstance(message, http.Request):
        return flows.request_of(flow, in_tunnel=False, complete=True)
    return flows.response_of(flow, complete=True)


def register(shown: HopguardView) -> None:
    """Offer the view in mitmproxy's user interfaces; one of the same name is replaced."""
    if not hasattr(contentviews, "registry"):
        logger.info("hopguard: the content view needs mitmproxy 12 or later")
        return
    contentviews.add(shown)


def unregister(shown: HopguardView) -> None:
    """Withdraw the view, unless another one has taken its place."""
    registry = getattr(contentviews, "registry", None)
    if registry is not None and registry.get(NAME) is shown:
        # mitmproxy only has this for views of its older sort.
        del registry._by_name[NAME.lower()]


def refresh() -> None:
    """Have mitmproxy's console show messages anew: it takes what it has shown once for final."""
    registry = getattr(contentviews, "registry", None)
    shown = registry.get(NAME) if registry is not None else None
    if registry is not None and shown is not None:
        registry.on_change.send(shown)
