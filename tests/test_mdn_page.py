"""The MDN page on Connection (French edition), clause by clause.

The page gives the view of RFC 2616, section 13.5.1. S1 to S17 are its sentences in their order; D1
to D10 are the subjects on which it, MDN's English page of today and the RFCs of today differ. What
a clause says about the life of a connection, or about both legs of a proxy, is tested elsewhere;
the docstrings name it.
"""

import textwrap

import pytest

from hopguard.checker import Checker
from hopguard.rule import DEFAULT_PROFILES
from tests.judging import judge

TODAY = frozenset(DEFAULT_PROFILES)
PAGE = TODAY | {"rfc2616"}
MDN_TODAY = TODAY | {"mdn-current"}
RFC7230 = TODAY | {"rfc7230"}
RFC7231 = TODAY | {"rfc7231"}
VIEWS = (TODAY, PAGE, MDN_TODAY, RFC7230, RFC7231)

REQUEST = "> GET / HTTP/1.1\n> Host: www.example\n"
RESPONSE = "< HTTP/1.1 200 OK\n< Content-Length: 0\n"
HTTP2_REQUEST = "> GET / HTTP/2\n> host: www.example\n"
HTTP2_RESPONSE = "< HTTP/2 200\n"
HTTP3_REQUEST = "> GET / HTTP/3\n> host: www.example\n"


def found(text: str, profiles: frozenset[str] = TODAY) -> list[str]:
    """List all findings, infos included, as rule/variant=severity."""
    return sorted(
        f"{finding.rule}{'/' * bool(finding.variant)}{finding.variant}={finding.severity}"
        for finding, _ in judge(textwrap.dedent(text), Checker(profiles))
    )


def request(*lines: str) -> str:
    """Write an HTTP/1.1 request with these field lines."""
    return REQUEST + "".join(f"> {line}\n" for line in lines)


def response(*lines: str) -> str:
    """Write an HTTP/1.1 response with these field lines and an empty body."""
    return RESPONSE + "".join(f"< {line}\n" for line in lines)


# The sentences of the page


def test_s01_connection_controls_whether_the_connection_stays_open() -> None:
    """A message says close, keep-alive or nothing; a contradiction in one exchange is found.

    Whether both sides then do what they say is for the lifecycle rules.
    """
    said_and_meant = request("Connection: close") + response("Connection: close")
    assert found(said_and_meant) == []
    assert found(request("Connection: keep-alive") + response()) == []
    unheard = request("Connection: close") + response("Connection: keep-alive")
    assert found(unheard) == ["response-missing-close-echo=warning"]


def test_s02_with_keep_alive_the_connection_is_not_closed() -> None:
    """The page is too strong: close wins over keep-alive, and a body without length closes.

    Closing without a word after a complete response is left to server-closed-without-announcing.
    """
    both = response("Connection: keep-alive, close")
    assert found(both, PAGE) == ["close-with-keep-alive/options=warning"]
    beside = response("Connection: close", "Keep-Alive: timeout=5")
    assert found(beside, PAGE) == ["close-with-keep-alive/field=warning"]
    endless = REQUEST + "< HTTP/1.1 200 OK\n< Connection: keep-alive\n"
    assert found(endless, PAGE) == ["close-delimited-response/contradicted=warning"]


def test_s03_further_requests_may_then_be_sent() -> None:
    """One exchange shows the agreement: keep-alive on both sides, and a length.

    Using the connection again is left to request-after-close, pipelined-requests and
    http10-connection-reused-without-keep-alive.
    """
    agreed = """
        > GET / HTTP/1.0
        > Connection: keep-alive
        < HTTP/1.0 200 OK
        < Connection: keep-alive
        < Content-Length: 0
        """
    assert found(agreed, PAGE) == []
    broken = agreed.replace("< Content-Length: 0\n", "")
    assert found(broken, PAGE) == ["close-delimited-response/contradicted=warning"]


@pytest.mark.parametrize(
    "name", ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]
)
def test_s04_connection_specific_fields_must_not_be_used_with_http2(name: str) -> None:
    """All five are errors in both directions, also on HTTP/3, under every view."""
    for view in VIEWS:
        line = f"{name}: chunked\n"
        assert found(f"{HTTP2_REQUEST}> {line}", view) == ["connection-field-in-http2=error"]
        assert found(f"{HTTP2_RESPONSE}< {line}", view) == ["connection-field-in-http2=error"]
        assert found(f"{HTTP3_REQUEST}> {line}", view) == ["connection-field-in-http3=error"]


def test_s04_what_else_must_not_be_used_with_http2() -> None:
    """The page omits TE, which may say trailers, the status 101, and extended CONNECT."""
    value = ["te-not-trailers-in-http2-or-http3/value=error"]
    assert found(f"{HTTP2_REQUEST}> te: trailers\n", PAGE) == []
    assert found(f"{HTTP2_REQUEST}> te: gzip\n", PAGE) == value
    assert found(f"{HTTP3_REQUEST}> te: trailers, gzip\n", PAGE) == value
    switched = ["switching-protocols-in-http2-or-http3=error"]
    assert found("< HTTP/2 101\n", PAGE) == found("< HTTP/3 101\n", PAGE) == switched
    tunnel = """
        > CONNECT /chat HTTP/2
        > :protocol: websocket
        > :scheme: https
        > :path: /chat
        > :authority: www.example
        > upgrade: websocket
        """
    assert found(tunnel, PAGE) == ["extended-connect-invalid/upgrade-fields=error"]


EIGHT_STANDARD_FIELDS = {
    "Connection": [],
    "Keep-Alive: timeout=5": ["keep-alive-without-connection-option=error"],
    "Proxy-Authenticate: Basic": [],
    "Proxy-Authorization: Basic dTpw": [],
    "TE: trailers": ["te-without-connection-option=error"],
    "Trailer: X-Sum": ["trailer-announcement-mismatch/impossible=info"],
    "Transfer-Encoding: chunked": [],
    "Upgrade: TLS/1.2": ["upgrade-without-connection-option=error"],
}


def test_s05_all_but_eight_standard_fields_must_be_listed() -> None:
    """Another hop-by-hop field is an error for the page, too; of the eight none is."""
    extension = request('C-Man: "http://www.example/ext"')
    assert found(extension, PAGE) == ["hop-by-hop-field-unlisted/declared=error"]
    listed = request("Connection: C-Man", 'C-Man: "http://www.example/ext"')
    assert found(listed, PAGE) == []
    assert len(EIGHT_STANDARD_FIELDS) == 8
    for line, today in EIGHT_STANDARD_FIELDS.items():
        if line != "Connection":
            assert found(request(line), TODAY) == today
            exempt = [name for name in today if "without-connection-option" not in name]
            assert found(request(line), PAGE) == exempt


def test_s06_the_first_proxy_consumes_them() -> None:
    """A field that has come through a proxy is found; fault of the proxy, not of the sender.

    Comparing both legs is left to nominated-field-forwarded, connection-field-forwarded,
    hop-by-hop-field-forwarded and connection-field-translated-to-http2.
    """
    leaked = response("Via: 1.1 proxy", "Keep-Alive: timeout=5")
    assert found(leaked, PAGE) == ["hop-by-hop-field-leaked/via=warning"]
    (judged,) = judge(leaked, Checker(PAGE))
    assert judged.finding.sender == "intermediary"
    assert found(response("Via: 1.1 proxy"), PAGE) == []


def test_s07_standard_fields_may_be_listed_but_need_not() -> None:
    """Listing Keep-Alive is right for everybody; not listing it only for the page."""
    listed = response("Connection: Keep-Alive", "Keep-Alive: timeout=5, max=100")
    unlisted = response("Keep-Alive: timeout=5, max=100")
    assert [found(listed, view) for view in VIEWS] == [[]] * len(VIEWS)
    assert found(unlisted, PAGE) == []
    assert found(unlisted, TODAY) == ["keep-alive-without-connection-option=error"]


IN_BOTH_DIRECTIONS = {
    'Connection: "close"': "connection-option-not-token=error",
    "Connection: close,": "connection-empty-list-member=error",
    "Connection:": "connection-empty-value/lone=info",
    "Connection: close, Close": "connection-option-duplicated=info",
    "Connection: cl\\x00ose": "connection-field-illegal-octets/control=error",
    "Connection : close": "connection-field-name-malformed/whitespace=error",
    "Connection: close, keep-alive": "close-with-keep-alive/options=warning",
}


@pytest.mark.parametrize("line", IN_BOTH_DIRECTIONS)
def test_s08_it_is_a_general_header(line: str) -> None:
    """Syntax rules hold in requests and in responses."""
    assert found(request(line), PAGE) == [IN_BOTH_DIRECTIONS[line]]
    assert found(response(line), PAGE) == [IN_BOTH_DIRECTIONS[line]]


def test_s08_but_not_a_trailer_field() -> None:
    """It stands in the header section only, in both directions."""
    for start in (
        "> POST / HTTP/1.1\n> Host: www.example\n> Transfer-Encoding: chunked\n",
        "< HTTP/1.1 200 OK\n< Transfer-Encoding: chunked\n",
    ):
        sign = start[0]
        trailers = f"{start}{sign}\n{sign} Connection: close\n"
        assert found(trailers, PAGE) == ["connection-field-in-trailers/sent=error"]


def test_s09_it_is_a_forbidden_header_name() -> None:
    """No browser lets a script set it; one that seems to is no browser."""
    scripted = request("Sec-Fetch-Mode: cors", "Connection: close, X-Hop", "X-Hop: 1")
    assert "forbidden-header-from-browser/script-request=warning" in found(scripted, PAGE)
    asked = "> OPTIONS / HTTP/1.1\n> Host: www.example\n> Access-Control-Request-Headers: {}\n"
    acrh = ["forbidden-header-from-browser/acrh=warning"]
    assert found(asked.format("connection"), PAGE) == acrh
    assert found(asked.format("x-connection"), PAGE) == []
    allowed = response("Access-Control-Allow-Headers: Connection")
    assert found(allowed, PAGE) == ["forbidden-header-from-browser/acah=info"]
    assert found(request("Sec-Fetch-Mode: cors", "Connection: keep-alive"), PAGE) == []


def test_s10_syntax_is_keep_alive_or_close() -> None:
    """The page is incomplete: any token is an option, anything but a token is an error."""
    assert found(request("Connection: Keep-Alive"), PAGE) == []
    assert found(request("Connection: CLOSE"), PAGE) == []
    hop = request("Connection: X-Hop", "X-Hop: 1")
    assert found(hop, PAGE) == ["connection-option-unrecognised/custom-field=info"]
    unknown = request("Connection: foo")
    assert found(unknown, PAGE) == ["connection-option-unrecognised/unknown-option=info"]
    parameter = request("Connection: close;q=1")
    assert found(parameter, PAGE) == ["connection-option-not-token=error"]


def test_s11_close_says_that_client_or_server_wants_to_close() -> None:
    """It is a commitment: the final response repeats it, and no interim one has it.

    Whether the connection is closed then is left to request-after-close and close-not-honoured.
    """
    ignored = request("Connection: close") + response()
    assert found(ignored, PAGE) == ["response-missing-close-echo=warning"]
    servers_wish = request() + response("Connection: close")
    assert found(servers_wish, PAGE) == []
    early = "< HTTP/1.1 103 Early Hints\n< Connection: close\n"
    assert found(early, PAGE) == ["close-on-non-final-response/interim=warning"]


def test_s12_close_is_the_default_of_http10() -> None:
    """The version of the message decides, also in a response: HTTP/1.0 need not say close.

    Use of such a connection is left to http10-connection-reused-without-keep-alive and
    proxy-persistent-with-http10-client.
    """
    assert found("> GET / HTTP/1.0\n< HTTP/1.0 200 OK\n", PAGE) == []
    assert found(request("Connection: close") + "< HTTP/1.0 200 OK\n", PAGE) == []
    answered_in_http11 = "> GET / HTTP/1.0\n< HTTP/1.1 200 OK\n"
    assert found(answered_in_http11, PAGE) == ["close-delimited-response/unannounced=warning"]


def test_s13_otherwise_it_is_a_list_of_header_names() -> None:
    """Options, rather, which need not be names of fields; the list has no empty members."""
    assert found(request("Connection: keep-alive,,close-ish"), PAGE) == [
        "connection-empty-list-member=error",
        "connection-option-unrecognised/unknown-option=info",
    ]
    assert found(request("Connection: TE, te", "TE: trailers"), PAGE) == [
        "connection-option-duplicated=info"
    ]
    assert found(request("Connection: keep-alive Upgrade"), PAGE) == [
        "connection-option-not-token=error"
    ]
    assert found(request("Connection: Upgrade"), PAGE) == [
        "connection-option-without-effect/absent-field=info"
    ]


def test_s14_such_a_list_does_not_mean_keep_alive() -> None:
    """The page is wrong: only keep-alive promises a connection, whatever else is listed.

    On HTTP/1.0 the next request shows it: http10-connection-reused-without-keep-alive.
    """
    listing = "> GET / HTTP/1.0\n< HTTP/1.0 200 OK\n< Connection: {}\n"
    for options in ("Proxy-Support", "Alt-Used"):
        assert found(listing.format(options), PAGE) == []
    promised = found(listing.format("Proxy-Support, keep-alive"), PAGE)
    assert promised == ["close-delimited-response/contradicted=warning"]


def test_s15_persistence_is_the_default_of_http11() -> None:
    """Who does not persist has to say so; the end of the connection is no length.

    Closing all the same is left to server-closed-without-announcing and
    non-persistent-peer-unannounced.
    """
    assert found(request() + response(), PAGE) == []
    silent = REQUEST + "< HTTP/1.1 200 OK\n"
    assert found(silent, PAGE) == ["close-delimited-response/unannounced=warning"]
    announced = silent + "< Connection: close\n"
    assert found(announced, PAGE) == ["close-delimited-response/avoidable=info"]


def test_s16_the_listed_names_are_removed_by_the_first_proxy_or_cache() -> None:
    """What a cache has kept is found in the response that it serves.

    Narrower than the RFC, which means every intermediary that is no tunnel. Proxies are compared
    by nominated-field-forwarded.
    """
    kept = response("Age: 30", "Keep-Alive: timeout=5")
    assert found(kept, PAGE) == ["hop-by-hop-field-leaked/stored=warning"]
    authenticated = response("Age: 30", "Proxy-Authentication-Info: nextnonce=a")
    assert found(authenticated, PAGE) == ["hop-by-hop-field-leaked/stored=error"]
    assert found(response("Age: 30"), PAGE) == []


END_TO_END = {
    "Cache-Control": "connection-names-cache-field=error",
    "Authorization": "connection-strips-credential-field=error",
    "Forwarded": "connection-strips-forwarding-field=error",
    "X-Forwarded-For": "connection-strips-forwarding-field=warning",
    "Content-Length": "connection-names-framing-field=error",
    "User-Agent": "connection-names-end-to-end-field=error",
    "Priority": "connection-names-end-to-end-field/explicit=error",
}


@pytest.mark.parametrize("name", END_TO_END)
def test_s17_they_concern_the_next_entity_not_the_destination(name: str) -> None:
    """So a field for the destination must not be listed, which the page does not mention."""
    assert found(request(f"Connection: {name}"), PAGE) == [END_TO_END[name]]


def test_s17_a_field_of_one_hop_that_went_further() -> None:
    """An offer to upgrade that a proxy has passed on concerns somebody else's connection."""
    passed_on = request("Via: 1.1 proxy", "Upgrade: TLS/1.2")
    assert found(passed_on, PAGE) == ["hop-by-hop-field-leaked/via=warning"]


# Where the page, MDN today and the RFCs part ways


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Upgrade: TLS/1.2", "upgrade-without-connection-option=error"),
        ("TE: trailers", "te-without-connection-option=error"),
        ("Keep-Alive: timeout=5", "keep-alive-without-connection-option=error"),
    ],
)
def test_d01_must_standard_hop_by_hop_fields_be_listed(line: str, rule: str) -> None:
    """Three errors of today that the page does not know."""
    assert found(request(line), TODAY) == found(request(line), MDN_TODAY) == [rule]
    assert found(request(line), PAGE) == []
    option = line.partition(":")[0]
    assert found(request(f"Connection: {option}", line), TODAY) == []


def test_d02_te_must_be_listed() -> None:
    """Even if it is empty; optional to list for the page."""
    for value in ("", " trailers", " gzip;q=0.5"):
        assert found(request(f"TE:{value}"), TODAY) == ["te-without-connection-option=error"]
        assert found(request(f"TE:{value}"), PAGE) == []


def test_d03_proxy_authentication_is_relayed_but_not_stored() -> None:
    """Fields for the next proxy are not connection-specific, and may pass along a chain.

    That a proxy has relayed one is seen on both legs only: hop-by-hop-field-forwarded.
    """
    challenge = "< HTTP/1.1 407 x\n< Proxy-Authenticate: Basic\n< Content-Length: 0\n"
    credentials = request("Proxy-Authorization: Basic dTpw", "Via: 1.1 proxy")
    assert found(challenge) == found(credentials) == []
    assert found(f"{HTTP2_REQUEST}> proxy-authorization: Basic dTpw\n") == []
    stored = response("Age: 5", 'Proxy-Authenticate: Basic realm="a"')
    assert found(stored) == ["hop-by-hop-field-leaked/stored=error"]
    beyond = "* addressed beyond the proxy\n" + request("Proxy-Authorization: Basic dTpw")
    assert found(beyond) == ["proxy-authorization-beyond-proxy=warning"]


def test_d04_trailer_may_pass() -> None:
    """It need not be listed, but for MDN of today; without chunked it is only noted."""
    announced = "< HTTP/1.1 200 OK\n< Transfer-Encoding: chunked\n< Trailer: X-Sum\n"
    assert found(announced, TODAY) == found(announced, PAGE) == []
    unlisted = ["hop-by-hop-field-unlisted/standard=info"] * 2
    assert found(announced, MDN_TODAY) == unlisted
    assert found(f"{HTTP2_RESPONSE}< trailer: x-sum\n", MDN_TODAY) == []
    impossible = ["trailer-announcement-mismatch/impossible=info"]
    assert found(response("Trailer: X-Sum"), TODAY) == impossible


def test_d05_proxy_connection_is_one_of_them() -> None:
    """Not for the page; today it is to be removed, and clients had better not send it."""
    line = "Proxy-Connection: keep-alive"
    to_proxy = "* addressed to the proxy\n" + request(line)
    beyond = "* addressed beyond the proxy\n" + request(line)
    assert found(to_proxy) == ["proxy-connection-field/to-proxy=info"]
    assert found(beyond) == ["proxy-connection-field/beyond-proxy=warning"]
    assert found(f"{HTTP2_REQUEST}> {line}\n") == ["connection-field-in-http2=error"]


def test_d06_transfer_encoding_is_never_listed() -> None:
    """Nobody has to; and whoever does looks for a hop that deletes it."""
    unlisted = "< HTTP/1.1 200 OK\n< Transfer-Encoding: chunked\n"
    assert [found(unlisted, view) for view in (TODAY, PAGE, RFC7230)] == [[]] * 3
    listed = unlisted + "< Connection: Transfer-Encoding\n"
    assert found(listed) == ["connection-names-framing-field=error"]
    absent = response("Connection: Transfer-Encoding")
    assert "connection-names-framing-field=warning" in found(absent)


@pytest.mark.parametrize(
    "text",
    [
        "< HTTP/1.1 200 OK\n< Transfer-Encoding: chunked\n",
        request("Proxy-Authorization: Basic dTpw"),
        "< HTTP/1.1 407 x\n< Proxy-Authenticate: Basic\n< Content-Length: 0\n",
    ],
)
def test_d07_mdn_of_today_wants_all_eight_listed(text: str) -> None:
    """Which is neither the page's position nor the RFC's, so it is off, and an info."""
    assert found(text, TODAY) == found(text, PAGE) == []
    assert found(text, MDN_TODAY) == ["hop-by-hop-field-unlisted/standard=info"]


def test_d08_empty_connection() -> None:
    """Allowed today, and forbidden in RFC 7230."""
    assert found(request("Connection:"), TODAY) == ["connection-empty-value/lone=info"]
    assert found(request("Connection:"), RFC7230) == ["connection-empty-value/lone=error"]
    assert found(request("Connection: close"), RFC7230) == []


def test_d09_408_and_close() -> None:
    """Recommended in RFC 7231 only."""
    timeout = "< HTTP/1.1 408 Request Timeout\n< Content-Length: 0\n"
    assert found(timeout, TODAY) == found(timeout, PAGE) == []
    assert found(timeout, RFC7231) == ["request-timeout-without-close=info"]
    assert found(timeout + "< Connection: close\n", RFC7231) == []


def test_d10_refused_connect() -> None:
    """One exchange shows what a client must not do before the answer, and a close unheard.

    That the proxy has to close after refusing is left to connect-rejected-connection-kept.
    """
    connect = "> CONNECT www.example:443 HTTP/1.1\n> Host: www.example:443\n"
    refused = "< HTTP/1.1 403 Forbidden\n< Content-Length: 0\n"
    assert found(connect + refused + "< Connection: close\n") == []
    impatient = r"* sent before the response: POST / HTTP/1.1\r\n" + "\n" + connect + refused
    assert found(impatient) == ["data-before-protocol-switch/connect=error"]
    unheard = connect + "> Connection: close\n" + refused
    assert found(unheard) == ["response-missing-close-echo=warning"]
