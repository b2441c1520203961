import re
from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, Evidence, Finding, Requirement, message_rule
from hopguard.text import quote

MOST_FINDINGS = 5
"""Distinct bad members that are reported for one message."""

SHAPES = (
    (re.compile(rb'"'), "options are never quoted"),
    (re.compile(rb"[\x80-\xff]"), "it holds octets outside ASCII"),
    (re.compile(rb"^:."), "field names of HTTP/2 that start with a colon have no place here"),
    (re.compile(rb";"), "options take no parameters"),
    (re.compile(rb"^(timeout|max)[ \t]*=", re.IGNORECASE), "such parameters belong in Keep-Alive"),
    (re.compile(rb"="), "options take no values"),
    (re.compile(rb"^[!#$%&'*+\-.^_`|~0-9A-Za-z \t]+$"), "a comma is missing between its words"),
)
"""What is found in a bad member, and what has gone wrong then; the first one found counts."""


def _keep_tokens[M: Message](message: M, _: Finding, /) -> M:
    said = b"close" in message.options

    def edit(member: bytes) -> bytes | None:
        nonlocal said
        if not member or grammar.is_token(member) or grammar.has_control(member):
            return member
        if said or b"close" not in map(bytes.lower, grammar.tokens_in(member)):
            return None
        said = True
        return b"close"

    return editing.edit_members(message, b"connection", edit)


@message_rule(
    requirement=Requirement(9110, "7.6.1"),
    also=(Requirement(9110, "5.6.2"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    repair=(
        "Write the valid options only; a member with close among its words is written as close, "
        "since closing is always permitted and a lost close is not."
    ),
    edit=_keep_tokens,
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: "close"
        """,
        """
        < HTTP/1.1 200 OK
        <! Connection: "keep-alive, close"
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: close;q=1
        """,
        """
        < HTTP/1.1 200 OK
        <! Connection: keep-alive, timeout=5, max=100
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        >! Connection: keep-alive close
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: :authority
        """,
        r"""
        < HTTP/1.1 200 OK
        <! Connection: close\xa0
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        >! Connection: <upgrade>
        >! Connection: {a}, {b}, {c}, {d}, {e}, {f}, {a}
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: keep-alive
        >  close
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, Upgrade-Insecure-Requests , X_Y.Z~!#$%&'*+-^`|1
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Keep-Alive
        < Keep-Alive: timeout=5, max=100
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
        > Connection: TE,close
        > TE: deflate,gzip;q=0.3
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: ,close,,
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close\x00, keep\x01alive
        """,
        """
        > GET / HTTP/2
        > connection: "close"
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection holds a member that is not a token.

    A connection option is one bare word: no quotes, no parameters, no spaces. Recipients compare
    options word by word, so a member of any other form is not understood and the intention behind
    it is lost: a connection that should close stays open, an upgrade is refused, a field that was
    to stay on this hop travels on.

    Where it comes from: parameters of Keep-Alive written into Connection (timeout=5 belongs into a
    field of its own), two options joined by a space instead of a comma, and strings that were
    quoted by a template or a configuration file. In nginx, what stands between the quotes of
    proxy_set_header is sent as it is, so a second pair of quotes reaches the peer; in application
    code set the value to the plain word.

    A member that was meant as an option which the message needs is the only fault reported; the
    missing option is not reported again. Members with control octets are left to the rule about
    illegal octets. At most five different members of a message are reported.
    """
    seen: set[bytes] = set()
    for line, value in message.members(b"connection"):
        if not value or value in seen or grammar.is_token(value) or grammar.has_control(value):
            continue
        seen.add(value)
        yield Evidence(f"{line} lists {quote(value)}, which is no token: {_reason(value)}.", line)
        if len(seen) == MOST_FINDINGS:
            return


def _reason(member: bytes) -> str:
    for shape, reason in SHAPES:
        if shape.search(member):
            return reason
    return "it holds octets that no token may hold"
