import re
from collections.abc import Iterator

from hopguard import grammar
from hopguard.connection import Connection
from hopguard.events import Unsolicited
from hopguard.history import story
from hopguard.message import HTTP1
from hopguard.rule import INFO, WARNING, Evidence, Requirement, connection_rule
from hopguard.text import quote

_NOTICE = re.compile(rb"HTTP/1\.[01] 408(?: [^\r\n]*)?\r?\n(.*?)\r?\n\r?\n", re.DOTALL)
_CONNECTION = re.compile(rb"(?im)^connection:([^\r\n]*)")

_SHOWN = 40
"""Octets that the finding quotes."""


@connection_rule(
    requirement=Requirement(9112, "9.2", "MUST NOT"),
    also=(Requirement(9112, "6.3"),),
    variants={"data": WARNING, "timeout-notice": INFO},
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    events=(Unsolicited,),
    senders=("server",),
    block="leg",
    violating={
        "data": [
            r"""
            * server leg
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            *! unsolicited: HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n
            """,
            r"""
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            *! unsolicited: the rest
            """,
        ],
        "timeout-notice": [
            r"""
            * server leg
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            * 5 s later
            *! unsolicited: HTTP/1.0 408 Request Time-out\r\nConnection: close\r\n\r\n<html>
            """
        ],
    },
    conforming=[
        r"""
        * server leg
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * unsolicited: \r\n\r\n
        """,
        r"""
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        * unsolicited: the start
        """,
    ],
)
def check(connection: Connection, event: Unsolicited) -> Iterator[Evidence]:
    """The server sends octets although no request is outstanding.

    A client that keeps them takes them for the answer to its next request, and from then on every
    answer belongs to the request before it: users see the pages of others. It is what request
    smuggling looks like from the server's side, and what a wrong length leads to: content after a
    HEAD or a 304, or more of it than Content-Length says.

    Find out what the octets are: the finding quotes the first of them. A whole response is the
    answer to a request that a proxy in front has not seen; the rest of a page means that the length
    was wrong. In the server, do not write content for HEAD, 204 and 304, and let it compute the
    length. mitmproxy drops the octets and closes the connection.

    One response with status 408 and close (timeout-notice) is how Apache httpd and HAProxy announce
    that they close an idle connection. It is legal and helps no client, so it is an info. Empty
    lines are ignored.
    """
    octets = event.octets.lstrip(b"\r\n")
    if not octets or connection.outstanding or not connection.answered:
        return
    if _is_notice(octets):
        text = "The server sends status 408 with close while no request is outstanding"
        yield Evidence(f"{text}, {story(connection, event.time)}.", variant="timeout-notice")
        return
    yield Evidence(
        f"The server sends {quote(octets[:_SHOWN])} while no request is outstanding, "
        f"{story(connection, event.time)}.",
        variant="data",
    )


def _is_notice(octets: bytes) -> bool:
    found = _NOTICE.match(octets)
    if found is None or grammar.starts_response(octets[found.end() :]):
        return False
    options = [
        option.lower()
        for value in _CONNECTION.findall(found[1])
        for option in grammar.split_list(value)
    ]
    return b"close" in options
