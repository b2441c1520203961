from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.editing import say_close
from hopguard.events import ResponseHead
from hopguard.message import HTTP11
from hopguard.rule import ERROR, Evidence, Requirement, connection_rule


@connection_rule(
    requirement=Requirement(9931, "8", "MUST"),
    also=(Requirement(9112, "11.2"),),
    severity=ERROR,
    profiles=("rfc9110", "security"),
    versions=HTTP11,
    events=(ResponseHead,),
    senders=("intermediary",),
    repair="mitmproxy's own refusal of CONNECT says Connection: close, and mitmproxy closes. An "
    "upstream proxy's stays flagged: mitmproxy closes that connection in any case.",
    edit=say_close,
    concerns=lambda _, event: event.to_connect,
    violating=[
        """
        * opened
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        <! HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Basic realm="p"
        < Content-Length: 0
        """,
        """
        * opened
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        > Connection: close
        <! HTTP/1.1 403 Forbidden
        < Content-Length: 0
        """,
        """
        * opened
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        <! HTTP/1.0 403 Forbidden
        < Connection: keep-alive
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        * opened
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Basic realm="p"
        < Connection: close
        < Content-Length: 0
        """,
        """
        * client leg
        * opened
        * answered by the proxy
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 502 Bad Gateway
        < Content-Length: 0
        """,
        """
        * opened
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 200 OK
        """,
        """
        * opened
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.0 403 Forbidden
        < Content-Length: 0
        """,
    ],
)
def check(connection: Connection, event: ResponseHead) -> Iterator[Evidence]:
    """A proxy refuses CONNECT and keeps the connection.

    A client may have sent on already, on behalf of a program that believes to be in the tunnel. If
    the proxy keeps the connection after it has refused, it takes those octets for the client's next
    requests: whoever writes what goes through the tunnel can make requests in the client's name. So
    since RFC 9931 the proxy has to close, whatever the client has said.

    Proxies that ask for credentials by 407 do it as a matter of course, to spare the client another
    connection; so does mitmproxy itself. Let the proxy add Connection: close to every refusal of
    CONNECT; in squid, client_persistent_connections off does so, for all other requests as well. Or
    let clients send credentials with the first CONNECT, so that there is no refusal.

    Seen of an upstream proxy (mitmproxy's mode upstream) and in captures. mitmproxy's own refusals
    are never reported. HTTP/2 and HTTP/3 have streams, which end alone.
    """
    if event.own or 200 <= event.status < 300 or not event.final:
        return
    ends = event.close or (event.version == "HTTP/1.0" and not event.keep_alive)
    if not ends:
        yield Evidence(
            f"CONNECT is refused with status {event.status}, and without Connection: close."
        )
