"""Messages keep the octets and answer questions about them."""

from dataclasses import replace

from hopguard.grammar import Protocol
from hopguard.message import FieldLine, Request, Response


def request(*fields: tuple[bytes, bytes], trailers: object = None) -> Request:
    """Make a request with these field lines."""
    return Request(
        version="HTTP/1.1",
        fields=fields,
        leg="client",
        method=b"GET",
        trailers=trailers,  # type: ignore[arg-type]
    )


def test_lines_keep_order_case_and_position() -> None:
    """A field line is found by its name in lower case, and shown as it was received."""
    message = request((b"Connection", b"a"), (b"Host", b"h"), (b"CONNECTION", b"b"))
    assert message.lines(b"connection") == [
        FieldLine("header", 0, b"Connection", b"a"),
        FieldLine("header", 2, b"CONNECTION", b"b"),
    ]
    assert message.has(b"host")
    assert not message.has(b"te")
    assert message.lines(b"te") == []


def test_several_lines_are_one_list() -> None:
    """Members know the line on which they stand."""
    message = request((b"Connection", b"a,\r\n b"), (b"Connection", b""), (b"Connection", b"c,"))
    assert [(m.line.position, m.value) for m in message.members(b"connection")] == [
        (0, b"a"),
        (0, b"b"),
        (1, b""),
        (2, b"c"),
        (2, b""),
    ]


def test_lists_with_quoted_strings() -> None:
    """A quoted comma splits Connection, and does not split TE."""
    message = request((b"Connection", b'"a,b"'), (b"TE", b'x;p="a,b"'))
    assert [m.value for m in message.members(b"connection")] == [b'"a', b'b"']
    assert [m.value for m in message.members(b"te")] == [b'x;p="a,b"']


def test_options_are_tokens_in_ascii_lower_case() -> None:
    """Neither invalid members nor Unicode case folding make an option."""
    message = request(
        (b"Connection", b'Close, "upgrade", , TE\x0b'),
        (b"connection", "\u212aeep-alive".encode()),
        (b"Connection", b"Keep-Alive"),
    )
    assert message.options == {b"close", b"keep-alive"}


def test_trailers_are_a_section_of_their_own() -> None:
    """Unknown, empty and present trailer sections differ."""
    assert request().trailers is None
    assert request().trailer_lines(b"close") == []
    assert request(trailers=()).trailer_lines(b"close") == []
    message = request((b"Host", b"h"), trailers=((b"Close", b"1"),))
    assert message.trailer_lines(b"close") == [FieldLine("trailer", 0, b"Close", b"1")]
    assert [line.section for line in message.every_line()] == ["header", "trailer"]
    assert len(request().every_line()) == 0


def test_forwarded() -> None:
    """A Via field shows that a message was forwarded."""
    assert request((b"VIA", b"1.1 x")).forwarded
    assert request((b"X-Forwarded-Client-Cert", b"x")).forwarded
    assert not request((b"Host", b"h"), (b"X-Forwarded", b"x")).forwarded


def test_a_line_is_shown_escaped_and_cut() -> None:
    """The text of a line is safe and short; an empty value leaves no blank."""
    assert str(FieldLine("header", 0, b"Upgrade", b"h2\x1b[0m")) == r"Upgrade: h2\x1b[0m"
    assert str(FieldLine("header", 0, b"Connection", b"")) == "Connection:"
    assert len(str(FieldLine("header", 0, b"x" * 5000, b"y" * 5000))) < 250


def test_parts() -> None:
    """A message knows what its sections are called in a record."""
    assert (Request.part, Request.trailer_part) == ("request", "request-trailers")
    assert (Response.part, Response.trailer_part) == ("response", "response-trailers")
    assert (Request.sent_by, Response.sent_by) == ("client", "server")


def test_meant_options_are_the_tokens_in_invalid_members() -> None:
    """A valid member is an option, not a meant one."""
    message = request((b"Connection", b'close, "Upgrade", TE foo;q=1'))
    assert message.meant_options == {b"upgrade", b"te", b"foo", b"q", b"1"}


def test_a_line_whose_name_has_white_space_around_it_was_meant() -> None:
    """On HTTP/1.x alone; a name in order is not misspelt."""
    lines = ((b"Connection", b"close"), (b"Connection\t", b"TE, close"), (b" Upgrade\x0b", b"foo"))
    message = request(*lines)
    assert message.misspelt(b"connection") == [b"TE, close"]
    assert message.meant_options == {b"te", b"close"}
    assert message.carries(b"upgrade")
    assert message.misspelt(b"te") == []
    assert replace(message, version="HTTP/2").misspelt(b"connection") == []


def test_listing_gives_each_option_once() -> None:
    """The first member counts, in the order and the letter case of the message."""
    message = request((b"Connection", b"b, A"), (b"Connection", b"a, c, B"))
    assert [(at.position, value) for at, value in message.listing({b"a", b"b"})] == [
        (0, b"b"),
        (0, b"A"),
    ]
    assert message.listing(()) == []


def test_carries_knows_what_it_cannot_know() -> None:
    """A field may be in either section or announced; until the trailers are known it may come."""
    chunked = (b"Transfer-Encoding", b"chunked")
    assert request((b"TE", b"")).carries(b"te") is True
    assert request(chunked, (b"Trailer", b"a, TE")).carries(b"te") is True
    assert request(chunked, trailers=((b"Te", b""),)).carries(b"te") is True
    assert request(chunked).carries(b"te") is None
    assert request(chunked, trailers=()).carries(b"te") is False
    assert request().carries(b"te") is False
    http2 = Request(version="HTTP/2", fields=(), leg="client", method=b"GET")
    assert http2.carries(b"te") is None


def test_control_octets_depend_on_the_version() -> None:
    """A fold is none in HTTP/1.1; other control octets than NUL, CR and LF are none in HTTP/2."""
    lines = ((b"A", b"a\r\n b"), (b"B", b"a\x01"), (b"C", b"a\x00"), (b"D", b"a\tb\xa0"))
    for version, expected in (("HTTP/1.1", b"BC"), ("HTTP/2", b"AC")):
        message = Request(
            version=version,  # type: ignore[arg-type]
            fields=lines,
            leg="client",
            method=b"GET",
        )
        found = [line.name for line in message.every_line() if message.has_control(line)]
        assert b"".join(found) == expected


def test_an_option_can_be_lacking() -> None:
    """Only for a field that is there, and not where an invalid member was meant as the option."""
    listed = (b"Connection", b'"te", c-man')
    message = request((b"Upgrade", b""), (b"TE", b""), (b"C-Man", b""), listed)
    assert message.lacks_option(b"upgrade")
    assert not message.lacks_option(b"te")
    assert not message.lacks_option(b"c-man")
    assert not message.lacks_option(b"keep-alive")


def test_nominated_fields_are_there_and_listed() -> None:
    """They come in the order of the header section."""
    message = request((b"B", b""), (b"a", b""), (b"Connection", b"A, x, b"), (b"C", b""))
    assert message.nominated() == [b"b", b"a"]


def test_the_forwarder_is_an_intermediary() -> None:
    """Without a trace of one there is none."""
    assert request((b"Via", b"1.1 x")).forwarder == "intermediary"
    assert request().forwarder is None


def test_extended_connect_needs_method_and_protocol() -> None:
    """One of them alone is something else."""
    for method, protocol, expected in (
        (b"CONNECT", b"websocket", True),
        (b"CONNECT", None, False),
        (b"GET", b"websocket", False),
    ):
        message = Request(
            version="HTTP/2", fields=(), leg="client", method=method, protocol=protocol
        )
        assert message.is_extended_connect is expected


def test_protocols_of_upgrade() -> None:
    """Empty elements are left out; what is no protocol is remembered for what it was meant as."""
    message = request((b"Upgrade", b"H2C,, TLS/1.2"), (b"upgrade", b'"WebSocket"'))
    assert [value for _, value in message.upgrades()] == [b"H2C", b"TLS/1.2", b'"WebSocket"']
    assert [protocol.name for _, protocol in message.protocols()] == [b"h2c", b"tls"]
    assert message.meant_protocols == {b"websocket"}
    assert message.line_naming(b"h2c") == message.lines(b"upgrade")[0]
    assert message.line_naming(b"tls") is None
    assert message.line_naming(b"websocket") is None


def test_content_that_is_announced() -> None:
    """A length of zero, or one that is none, announces nothing."""
    message = request((b"Content-Length", b"00"), (b"Content-Length", b"+5"))
    assert message.lines_announcing_content() == []
    message = request((b"Content-Length", b"50"), (b"Transfer-Encoding", b"chunked"))
    assert [line.value for line in message.lines_announcing_content()] == [b"chunked", b"50"]


def test_a_choice_may_leave_out_the_version() -> None:
    """But it must not make one up."""
    acceptable = request((b"Upgrade", b"TLS/1.2, websocket, bad protocol")).acceptable_protocols
    assert acceptable == {
        Protocol(b"tls", b"1.2"),
        Protocol(b"tls"),
        Protocol(b"websocket"),
    }
