"""The notation of the examples."""

import pytest

from hopguard.message import Request, Response
from hopguard.transcript import Mark, TranscriptError, parse

EXAMPLE = r"""
    * TLS
    * addressed to the proxy
    > POST /x HTTP/1.1
    > Connection : close
    >! Transfer-Encoding: \x0bchunked\t
    > X-Fold: a,
    >   b
    >
    > Checksum: \\7
    < HTTP/1.1 103 Early Hints
    < Link: </x>
    <! HTTP/1.1 200 OK
    < Content-Length: 0
    <
"""


def test_a_whole_exchange() -> None:
    """Messages, sections, folds, escapes, contexts and marks."""
    transcript = parse(EXAMPLE)
    request, interim, final = transcript.messages
    assert request == Request(
        version="HTTP/1.1",
        method=b"POST",
        target=b"/x",
        leg="client",
        tls=True,
        to_proxy=True,
        fields=(
            (b"Connection ", b"close"),
            (b"Transfer-Encoding", b"\x0bchunked\t"),
            (b"X-Fold", b"a,\r\n b"),
        ),
        trailers=((b"Checksum", b"\\7"),),
    )
    assert isinstance(interim, Response)
    assert interim.status == 103
    assert interim.trailers is None
    assert final.trailers == ()
    assert transcript.marks == [Mark(0, "header", 1), Mark(2, None, None)]


def test_the_exchange_is_the_request_and_the_final_response() -> None:
    """Interim responses are known to the final one."""
    transcript = parse(EXAMPLE)
    assert transcript.exchange is not None
    request, response = transcript.exchange
    assert request is transcript.messages[0]
    assert response.status == 200
    assert response.interim == (transcript.messages[1],)
    assert parse("> GET / HTTP/1.1").exchange is None
    assert parse("< HTTP/1.1 200").exchange is None


def test_pseudo_header_fields() -> None:
    """In HTTP/2 they may be spelt out; they are no field lines."""
    transcript = parse("""
        > CONNECT /chat HTTP/2
        > :protocol: websocket
        > :scheme: https
        > host: a.example
    """)
    (request,) = transcript.messages
    assert isinstance(request, Request)
    assert request.protocol == b"websocket"
    assert request.pseudo_fields == frozenset({b":method", b":protocol", b":scheme"})
    assert request.fields == ((b"host", b"a.example"),)


def test_facts_with_octets() -> None:
    """Some facts carry octets; pieces after a switch add up."""
    transcript = parse(r"""
        * sent before the response: POST / HTTP/1.1\r\n
        * sent after the switch: \x81\x05
        * sent after the switch: HTTP/1.1 200
        > GET / HTTP/1.1
        < HTTP/1.1 101 Switching Protocols
    """)
    request, response = transcript.messages
    assert isinstance(request, Request)
    assert isinstance(response, Response)
    assert request.early_octets == b"POST / HTTP/1.1\r\n"
    assert response.switched_octets == (b"\x81\x05", b"HTTP/1.1 200")


def test_empty_lines_mean_nothing() -> None:
    """They may set messages apart."""
    assert len(parse("> GET / HTTP/1.1\n\n< HTTP/1.1 200 OK").messages) == 2


def test_whitespace_in_values() -> None:
    """White space around a value is stripped, white space that is spelt out stays."""
    (message,) = parse(r"> GET / HTTP/2" "\n" r"> te:   \x20trailers\t").messages
    assert message.fields == ((b"te", b" trailers\t"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Host: x", "neither"),
        ("* at night", "at night"),
        ("* at night: x", "at night"),
        ("> GET /", "GET /"),
        ("> GET / HTTP/4", "HTTP/4"),
        ("< HTTP/1.1", "HTTP/1.1"),
        ("< HTTP/1.1 OK", "OK"),
        ("< HTTP/9 200", "HTTP/9"),
        ("> GET / HTTP/1.1\n> Host", "Host"),
    ],
)
def test_errors_name_the_line(text: str, said: str) -> None:
    """What is not in the notation is refused."""
    with pytest.raises(TranscriptError, match=said):
        parse(text)


def test_what_an_intermediary_sends_on() -> None:
    """It is on the other leg; the messages before it are on theirs."""
    transcript = parse("""
        < HTTP/1.1 200 OK
        < Connection: X
        * sent on
        < HTTP/1.1 200 OK
        <! X: 1
    """)
    assert transcript.forwarding is not None
    received, sent = transcript.forwarding
    assert (received.leg, sent.leg) == ("server", "client")
    assert (len(received.fields), len(sent.fields)) == (1, 1)
    assert transcript.marks == [Mark(1, "header", 0)]
    assert parse("> GET / HTTP/1.1").forwarding is None
    request = parse("> GET / HTTP/1.1\n* sent on\n> GET / HTTP/2").messages[1]
    assert (request.leg, request.version) == ("server", "HTTP/2")


@pytest.mark.parametrize("text", ["* sent on\n> GET / HTTP/1.1", "> GET / HTTP/1.1\n* sent on"])
def test_sent_on_stands_between_messages(text: str) -> None:
    """Otherwise nobody knows what is meant."""
    with pytest.raises(TranscriptError, match="between two messages"):
        parse(text)
