from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import HTTP11, Message
from hopguard.rule import ERROR, Evidence, Requirement, message_rule
from hopguard.text import quote


@message_rule(
    requirement=Requirement(9112, "6.1"),
    also=(
        Requirement(9112, "7"),
        Requirement(9110, "2.2", "MUST NOT"),
        Requirement(9112, "11.2"),
    ),
    variants={"syntax": ERROR, "empty": ERROR},
    profiles=("rfc9110", "security"),
    versions=HTTP11,
    fields=(b"transfer-encoding",),
    visible="refused",
    violating={
        "syntax": [
            r"""
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: \xa0chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: "chunked"
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked=foo
            """,
            """
            < HTTP/1.1 200 OK
            <! transfer-encoding: chunked chunked
            """,
            r"""
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: chunked\xc2\xa0
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: gzip;level = 9, chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked;, @
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: foo;bar="a, chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: : chunked
            """,
        ],
        "empty": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding:
            """,
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: , ,
            < Connection: close
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Transfer-Encoding: chunked
            >! Transfer-Encoding:
            """,
        ],
    },
    conforming=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked
        """,
        r"""
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: \t Chunked \t
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: gzip,
        >  chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding: foo ;bar="a, \\";b=c\\"" ; baz=1 , chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding: ,chunked
        """,
        r"""
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: \x0bchunked
        """,
        r"""
        < HTTP/1.1 200 OK
        < Transfer-Encoding: \x00
        """,
        """
        > POST / HTTP/1.0
        > Transfer-Encoding: "chunked"
        """,
        """
        < HTTP/2 200
        < transfer-encoding: "chunked"
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Transfer-Encoding holds something that is not a transfer coding.

    A transfer coding is one bare word, with name=value parameters after a semicolon if need be.
    Anything else splits recipients into those that look for chunked somewhere in the value, those
    that trim white space of their own choice and those that ignore the field and go by
    Content-Length. The first of them ends the request at one octet, the next at another, and what
    lies between is a request of the attacker's.

    gunicorn took a value with VT, FF, NEL or a no-break space around chunked for plain chunked
    (benoitc/gunicorn#3364). Requests could be smuggled through old versions of mitmproxy as well
    (CVE-2022-24766, NixOS/nixpkgs#166671). An honest program hardly ever sends such a value; if
    one of yours does, look for a string that was quoted by a template, or text copied from a web
    page with its no-break spaces.

    Reject the message and close the connection: every repair picks one of the readings. In your
    own parser, compare octets after trimming space and tab only, ignore letter case, and accept
    nothing but the exact names.

    An empty value, or one of commas alone, is reported as empty. Values with control octets are
    left to the rule about illegal octets. VT and FF at the ends of a value are stripped by
    mitmproxy before anybody sees them.
    """
    for line in message.lines(b"transfer-encoding"):
        if message.has_control(line):
            continue
        members = grammar.split_quoted_list(grammar.unfold(line.value))
        if not any(members):
            yield Evidence(f"{line} names no transfer coding.", line, "empty")
            continue
        for member in members:
            if member and grammar.parse_coding(member) is None:
                text = f"{line} lists {quote(member)}, which is not a transfer coding."
                yield Evidence(text, line, "syntax")
                break
