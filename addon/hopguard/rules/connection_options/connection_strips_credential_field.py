from collections.abc import Iterator

from hopguard import editing
from hopguard.fields import AUTHENTICATING, authenticates_by_convention
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, WARNING, Evidence, Finding, Requirement, message_rule
from hopguard.text import quote


def _named(message: Message) -> set[bytes]:
    return {
        option
        for option in message.options
        if option in AUTHENTICATING or authenticates_by_convention(option)
    }


def _drop[M: Message](message: M, _: Finding, /) -> M:
    return editing.drop_options(message, _named(message))


@message_rule(
    requirement=Requirement(9110, "7.6.1", "MUST NOT"),
    also=(
        Requirement(9110, "11.6.2"),
        Requirement(
            document="CVE-2022-31813", link="https://nvd.nist.gov/vuln/detail/CVE-2022-31813"
        ),
    ),
    severity=ERROR,
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Remove the option from Connection and keep the field that it names.",
    edit=_drop,
    violating=[
        """
        > GET /api HTTP/1.1
        > Host: www.example
        >! Connection: close, Authorization
        > Authorization: Bearer x
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: keep-alive, COOKIE
        """,
        """
        < HTTP/1.1 401 Unauthorized
        <! Connection: WWW-Authenticate, Set-Cookie
        < WWW-Authenticate: Basic realm="login"
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        >! Connection: X-Remote-User, x-auth, X-Auth-Request-Email
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Connection: close
        >! Connection: X-CSRFToken, X-Amz-Security-Token
        > Content-Length: 0
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        > Authorization: Bearer x
        > Cookie: a=b
        > X-Auth-Token: t
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Author, X-Username, X-Amzn, X-API-Keyring, X-Authenticated
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        > Connection: Proxy-Authorization
        > Proxy-Authorization: Basic dTpw
        """,
        """
        > GET / HTTP/2
        > connection: authorization
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection nominates a field that carries credentials, a session or an origin.

    The next intermediary deletes what Connection names. Fields that prove who sent a message, or
    where it comes from, are meant for the server behind it, so nominating them is forbidden, and
    doing it anyway is a known attack: if a back end treats a request without X-Remote-User as an
    internal one, or skips a check when Origin is missing, a client gets in by having the field
    removed after the proxy has set it. In a response, users lose their session or their login.

    Apache httpd before 2.4.54 dropped the fields by which it passes on client data in this way
    (CVE-2022-31813), Go's ReverseProxy those that its Director had set (golang/go#50580).

    Behind a proxy, reject requests that lack the field instead of treating them as trusted. In the
    proxy, delete nominated fields first and set your own afterwards: in Go use
    ReverseProxy.Rewrite instead of Director, in Apache httpd update, in others replace the
    client's Connection field.

    Standard fields weigh as an error. Names that proxies and frameworks use by convention, such as
    X-Auth-Token, X-User-Id or X-CSRF-Token, weigh as a warning, as nothing but usage says that they
    go through to the end. The field itself need not be present.
    """
    for line, value in message.listing(_named(message)):
        yield Evidence(
            f"{line} nominates {quote(value)} for removal, on which a login, a session or a check"
            " of origin or integrity may rest.",
            line,
            severity=ERROR if value.lower() in AUTHENTICATING else WARNING,
        )
