from collections.abc import Iterator

from hopguard.message import HTTP2, HTTP3, Response
from hopguard.rule import ERROR, Evidence, Requirement, response_rule


@response_rule(
    requirement=Requirement(9113, "8.6"),
    also=(Requirement(9114, "4.5"), Requirement(8441, "5")),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP2 | HTTP3,
    statuses=(101,),
    visible="rejected",
    violating=[
        """
        <! HTTP/2 101
        < sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        <! HTTP/2 101
        < upgrade: websocket
        < connection: Upgrade
        < sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        <! HTTP/3 101
        < via: 1.1 edge
        """,
    ],
    conforming=[
        """
        > CONNECT /chat HTTP/2
        > :protocol: websocket
        > :scheme: https
        > :path: /chat
        > :authority: www.example
        > sec-websocket-version: 13
        < HTTP/2 200
        < sec-websocket-protocol: chat
        """,
        """
        < HTTP/3 103
        < link: </style.css>; rel=preload
        """,
        """
        < HTTP/2 100
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """The status 101 is sent on HTTP/2 or HTTP/3.

    101 hands a whole connection over to another protocol. In HTTP/2 and HTTP/3 many exchanges share
    the connection and nothing of that kind exists: neither version has the status. Clients reset
    the stream, or take the response for an interim one and wait for a final one that never comes.

    It is the work of a gateway that forwards an HTTP/1.1 WebSocket handshake, and its answer, as if
    the versions were the same, or of an application that writes 101 by hand whatever the version.

    WebSocket over HTTP/2 and HTTP/3 begins with an extended CONNECT, and the server accepts with
    200. A server offers it with SETTINGS_ENABLE_CONNECT_PROTOCOL; a client that does not see the
    setting opens an HTTP/1.1 connection for the WebSocket, as browsers do. So either let the
    gateway translate (Envoy: allow_connect in http2_protocol_options; HAProxy does it by itself),
    or let WebSocket requests reach it over HTTP/1.1.

    Fields such as upgrade that come with the status are reported by the rules about them.
    """
    text = f"The status 101 does not exist in {response.version}."
    yield Evidence(text, sender=response.forwarder)
