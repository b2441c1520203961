from collections.abc import Iterator
from itertools import chain

from hopguard import grammar
from hopguard.message import HTTP1, Message
from hopguard.rule import INFO, Evidence, Requirement, message_rule
from hopguard.text import quote


@message_rule(
    requirement=Requirement(9110, "7.6.1"),
    severity=INFO,
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: keep-alive, Keep-Alive
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: close
        <! Connection: Close
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        >! Connection: TE, close, te, TE
        > TE: trailers
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: upgrade, Upgrade-Insecure-Requests
        > Upgrade: h2
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, \xe2\x84\xaaeep-alive
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: ,,"a","a"
        """,
        """
        > GET / HTTP/2
        > connection: close, close
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection lists the same option twice.

    Naming an option twice changes nothing for a recipient that follows the RFC. It shows that two
    components of the sender write the field without knowing of each other, such as a client
    library with a default of its own and a header that the application adds, or a proxy that
    appends to the field instead of replacing it. Software that compares the whole value with one
    word no longer recognises it.

    Nothing needs to change on its own account. Where it puzzles a peer, let one place decide: set
    the option through the client's keep-alive switch rather than as a header, and in a proxy
    (proxy_set_header in nginx, http-request set-header in HAProxy) set the field, do not add to it.

    Options are compared without regard to case, as octets. Members that are not tokens are not
    counted here: they are reported as such.
    """
    lists = message.elements(b"connection")
    if sum(map(grammar.is_token, chain(*(values for _, values in lists)))) == len(message.options):
        return
    seen: set[bytes] = set()
    repeated: set[bytes] = set()
    for line, value in message.members(b"connection"):
        if not grammar.is_token(value):
            continue
        option = value.lower()
        if option in seen and option not in repeated:
            repeated.add(option)
            yield Evidence(f"{line} lists the option {quote(value)} once more.", line)
        seen.add(option)
