from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import EVERY_VERSION, Response, Sender
from hopguard.rule import ERROR, Evidence, Requirement, response_rule
from hopguard.text import printable


@response_rule(
    requirement=Requirement(9110, "15.5.8", "MUST"),
    also=(Requirement(9110, "11.7.1", "MUST"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=EVERY_VERSION,
    statuses=(407,),
    violating=[
        """
        <! HTTP/1.1 407 Proxy Authentication Required
        < Content-Length: 0
        """,
        """
        <! HTTP/2 407
        < www-authenticate: Basic realm="proxy"
        """,
        """
        < HTTP/1.1 407 Proxy Authentication Required
        <! Proxy-Authenticate:
        < Content-Length: 0
        """,
        """
        < HTTP/1.0 407 Proxy Authentication Required
        <! Proxy-Authenticate: realm="proxy", ="x"
        < proxy-authenticate: "Basic"
        """,
        """
        < HTTP/3 407
        <! proxy-authenticate: realm = "a, Basic b"
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Basic realm="proxy"
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Negotiate
        < Proxy-Authenticate: NTLM
        < Content-Length: 0
        """,
        """
        < HTTP/1.0 407 Proxy Authentication Required
        < Proxy-Authenticate:
        < proxy-authenticate: , NTLM TlRMTVNTUAAC==, Digest realm="a, b", nonce="c"
        < Content-Length: 0
        """,
        """
        < HTTP/2 407
        < proxy-authenticate: bearer
        """,
        r"""
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: \x00Basic realm="proxy"
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 401 Unauthorized
        < Content-Length: 0
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """The status 407 is sent without a challenge in Proxy-Authenticate.

    The response says that the client has to authenticate, and not how. The client does not know
    which scheme and which realm are wanted, so it gives up: a browser cannot ask for a password,
    and programs fail although they know it, since many send it only after they have seen a
    challenge.

    It happens where a filter or an add-on of a proxy makes the response by hand, where
    WWW-Authenticate is sent instead (that one belongs to 401), and where a hop before has removed
    Proxy-Authenticate because a list calls it hop-by-hop: HTTP/2 and HTTP/3 allow it, and some
    implementations have wrongly barred it there (hyperium/hyper#2597).

    Send at least one challenge, such as Proxy-Authenticate: Basic realm="proxy". If the request is
    refused for another reason than missing credentials, 403 is the right status.

    A parameter without a scheme before it is no challenge either. Values with control octets are
    left to the rule about those, a name with white space around it to the rule about names.
    """
    lines = response.lines(b"proxy-authenticate")
    if any(response.has_control(line) for line in lines):
        return
    if response.misspelt(b"proxy-authenticate"):
        return
    elements = [member.value for member in response.members(b"proxy-authenticate")]
    if any(grammar.starts_challenge(element) for element in elements):
        return
    sender: Sender | None = None if response.direct else "intermediary"
    if not lines:
        yield Evidence("The status 407 is sent without Proxy-Authenticate.", sender=sender)
        return
    text = f"{printable(lines[0].name)} holds no challenge, which the status 407 needs."
    yield Evidence(text, lines[0], sender=sender)
