from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, INFO, WARNING, Evidence, Requirement, Variant, message_rule


@message_rule(
    requirement=Requirement(9110, "7.6.1"),
    also=(
        Requirement(9110, "A"),
        Requirement(7230, "6.1"),
        Requirement(document="CVE-2021-33197", link="https://github.com/golang/go/issues/46313"),
    ),
    variants={
        "masking": WARNING,
        "lone": Variant(INFO, raised_by={"rfc7230": ERROR}),
    },
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Join the Connection lines into one and leave the empty ones out.",
    edit=editing.join_lines,
    violating={
        "masking": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection:
            > Connection: X-Hop-Token
            > X-Hop-Token: 7
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: close
            <! Connection:
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.0
            >! Connection:
            > Accept: */*
            >! connection:
            """,
            r"""
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: \x20\x09
            > Connection: close
            """,
        ],
        "lone": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection:
            """,
            """
            < HTTP/1.1 200 OK
            <! CONNECTION:
            < Content-Length: 0
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
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
        > Connection: ,
        """,
        """
        > GET / HTTP/2
        > connection:
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection is present but names no option.

    An empty Connection field says nothing. Alone it is allowed today, while RFC 7230 still asked
    for at least one option. Beside further Connection lines it is suspicious: a recipient that
    reads only the first line sees no option at all and forwards every field that the other lines
    nominate. No ordinary client sends such a pair.

    Go's ReverseProxy did exactly that (CVE-2021-33197, golang/go#46313): an empty first line made
    it skip the removal of hop-by-hop fields, so a client could have X-Forwarded-For dropped
    further on. Netty had a case of its own, a client hanging because the second line was never
    read (netty/netty#8846).

    In nginx, a variable that is empty in proxy_set_header removes the field, so the empty line
    usually comes from application code that assigns an empty string: delete the field instead.
    In a proxy, join all lines of the field before looking for options.

    Two lines that are both empty hide nothing, but are reported as masking too: the pair has the
    same origin.
    """
    lines = message.lines(b"connection")
    empty = [line for line in lines if not grammar.unfold(line.value).strip(grammar.OWS)]
    harm = (
        ", nor does any other Connection line, but there are several"
        if len(empty) == len(lines)
        else " and may hide those of the other Connection lines from a recipient that reads one"
    )
    for line in empty:
        if len(lines) == 1:
            yield Evidence(f"{line} names no connection option.", line, "lone")
        else:
            yield Evidence(f"{line} names no connection option{harm}.", line, "masking")
