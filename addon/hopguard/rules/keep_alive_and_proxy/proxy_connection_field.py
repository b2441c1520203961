from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP1, Message, Request
from hopguard.rule import INFO, WARNING, Evidence, Requirement, message_rule


@message_rule(
    requirement=Requirement(9112, "C.2.2"),
    also=(Requirement(9110, "7.6.1", "SHOULD"),),
    variants={"beyond-proxy": WARNING, "to-proxy": INFO},
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"proxy-connection",),
    repair="Remove the field line; no recipient may rely on it.",
    edit=editing.remove_field,
    violating={
        "beyond-proxy": [
            """
            * addressed beyond the proxy
            > GET / HTTP/1.1
            > Host: www.example
            >! Proxy-Connection: keep-alive
            """,
            """
            * addressed beyond the proxy
            > GET / HTTP/1.0
            > X-Forwarded-For: 192.0.2.1
            > Connection: proxy-connection
            >! proxy-connection: Keep-Alive
            """,
            """
            < HTTP/1.1 200 OK
            <! Proxy-Connection: close
            < Connection: close
            < Content-Length: 0
            """,
            """
            < HTTP/1.0 200 OK
            < Via: 1.0 cache
            <! Proxy-Connection: keep-alive
            <! PROXY-CONNECTION:
            < Content-Length: 0
            """,
        ],
        "to-proxy": [
            """
            * addressed to the proxy
            > GET / HTTP/1.1
            > Host: www.example
            >! Proxy-Connection: keep-alive
            """,
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            >! Proxy-Connection: Keep-Alive
            """,
            """
            > GET http://www.example/ HTTP/1.1
            > Host: www.example
            >! Proxy-Connection: Keep-Alive
            """,
        ],
    },
    conforming=[
        """
        > GET http://www.example/ HTTP/1.1
        > Host: www.example
        > Connection: keep-alive
        """,
        """
        > GET /?u=http://www.example/ HTTP/1.1
        > Host: www.example
        > Proxy-Connection: keep-alive
        """,
        """
        * addressed beyond the proxy
        > GET / HTTP/1.1
        > Host: www.example
        > X-Proxy-Connection: keep-alive
        > Connection: Proxy-Connection
        """,
        """
        * addressed beyond the proxy
        > GET / HTTP/2
        > proxy-connection: keep-alive
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Proxy-Connection is sent.

    Clients invented this field for proxies of the HTTP/1.0 days that forwarded Connection blindly:
    such a proxy would not know Proxy-Connection and do no harm. It does harm as soon as two proxies
    stand in a row and only one of them knows it. Today Connection does all that is needed, and
    clients are asked not to send Proxy-Connection at all.

    curl and browsers still send it to an explicit proxy (to-proxy), which is harmless. Beyond the
    proxy (beyond-proxy) it shows that some hop forwards what it should remove, or that a client
    thought it was talking to a proxy; it also tells the server that there is one. Once such a
    message goes out over HTTP/2 the recipient rejects it, as curl does (nghttp2/nghttp2#887).

    Proxies should remove the field together with Connection: in nginx with
    proxy_set_header Proxy-Connection "", in HAProxy with http-request del-header Proxy-Connection,
    in Apache httpd with RequestHeader unset Proxy-Connection. In curl, --proxy-header
    "Proxy-Connection:" stops it. A program that sets it itself should set Connection.

    Where it is not known whether a request is addressed to a proxy, CONNECT and a target with a
    scheme show it; otherwise nothing is said. If the message has been forwarded, the rule about
    leaked hop-by-hop fields speaks as well.
    """
    variant = "beyond-proxy"
    if isinstance(message, Request):
        to_proxy = message.to_proxy
        if to_proxy is None and _has_form_for_proxies(message):
            to_proxy = True
        if to_proxy is None:
            return
        variant = "to-proxy" if to_proxy else variant
    for line in message.lines(b"proxy-connection"):
        text = (
            f"{line} is sent to a proxy, where Connection is enough."
            if variant == "to-proxy"
            else f"{line} is meant for a proxy and should not have got here."
        )
        sender = None if variant == "to-proxy" else message.forwarder
        yield Evidence(text, line, variant, sender=sender)


def _has_form_for_proxies(request: Request) -> bool:
    """Tell whether the request target is in the authority-form or absolute-form."""
    if request.method == b"CONNECT":
        return True
    return not request.target.startswith(b"/") and b"://" in request.target
