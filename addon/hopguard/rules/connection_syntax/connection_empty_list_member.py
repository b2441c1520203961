from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.message import HTTP1, FieldLine, Message
from hopguard.rule import ERROR, Evidence, Finding, Requirement, message_rule

TOLERABLE = 8
"""Recipients have to ignore "a reasonable number" of empty elements; beyond this it is remarked."""


def _drop_empty[M: Message](message: M, _: Finding, /) -> M:
    return editing.edit_members(message, b"connection", lambda member: member or None)


@message_rule(
    requirement=Requirement(9110, "5.6.1.1", "MUST NOT"),
    also=(Requirement(9110, "5.6.1.2", "MUST"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Drop the empty elements, which every recipient has to ignore anyway.",
    edit=_drop_empty,
    violating=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        >! Connection: keep-alive,,Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        < HTTP/1.1 200 OK
        <! Connection: , close
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        >! Connection: ,
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: TE,
        > Connection: close
        > TE: trailers
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: close
        <! Connection: , ,
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: ,,,,,close,,,,,
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive ,  TE
        > TE: trailers
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Connection: close
        < Upgrade: h2
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection:
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection:
        > Connection: close
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: "a,b"
        """,
        """
        > GET / HTTP/2
        > connection: close,
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection contains an empty list element.

    Senders must not leave an element of a list empty: no comma at the start or the end, no two
    commas in a row. Recipients have to put up with some of them, but parsers that split at commas
    and look at the first piece only, or that reject the whole field, are not rare, and then close
    or upgrade goes unnoticed.

    It is typical of code that joins parts of which one is empty: a template such as
    "$option, upgrade" with an unset variable in nginx or HAProxy, or a join over a list from
    which a removed option has left its place behind. Filter empty parts before joining.

    A field line without any octet is not reported here, but as an empty value.
    """
    empty_elements = [(line, _count(line)) for line in message.lines(b"connection")]
    total = sum(count for _, count in empty_elements)
    remark = ""
    if total > TOLERABLE:
        remark = f"; recipients need not put up with the field's {total} in all"
    for line, count in empty_elements:
        if count:
            what = "an empty list element" if count == 1 else f"{count} empty list elements"
            yield Evidence(f"{line} has {what}{remark}.", line)


def _count(line: FieldLine) -> int:
    """Count the empty elements on a line that is not empty altogether."""
    value = grammar.unfold(line.value)
    return grammar.split_list(value).count(b"") if value.strip(grammar.OWS) else 0
