"""Making h2 look away from one thing, and learning from mitmproxy's log what it refused."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import h2.stream
import h2.utilities
import pytest
from h2.exceptions import ProtocolError
from h2.utilities import HeaderValidationFlags

from hopguard.mitm.rejected import REFUSED_TRANSFER_ENCODING, RefusalHandler, Unveiling

ORIGINAL = h2.utilities.validate_headers
REQUEST = HeaderValidationFlags(False, False, False, False)
RESPONSE = HeaderValidationFlags(True, False, True, False)
TRAILERS = HeaderValidationFlags(True, True, False, False)
HEAD = [
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b":authority", b"localhost"),
    (b":path", b"/"),
]
STATUS = (b":status", b"200")
CLIENT = ("192.0.2.1", 50_000)


def patched() -> Any:
    """Give what h2's streams call now."""
    return vars(h2.stream)["validate_headers"]


def validate(lines: list[tuple[bytes, bytes]], flags: Any) -> list[tuple[bytes, bytes]]:
    """Validate as h2's streams do now."""
    return list(patched()(lines, flags))


@pytest.fixture
def unveiling() -> Iterator[Unveiling]:
    """Give one that has started, and stop it."""
    started = Unveiling()
    assert started.start()
    yield started
    started.stop()
    assert patched() is ORIGINAL


def test_stop_restores_h2() -> None:
    unveiling = Unveiling()
    assert patched() is ORIGINAL
    assert unveiling.start()
    assert patched() is not ORIGINAL
    unveiling.stop()
    assert patched() is ORIGINAL


def test_start_and_stop_can_be_repeated() -> None:
    unveiling = Unveiling()
    unveiling.stop()
    for _ in range(2):
        assert unveiling.start()
        assert unveiling.start()
        unveiling.stop()
        unveiling.stop()
        assert patched() is ORIGINAL


def test_two_of_them_can_be_nested() -> None:
    first, second = Unveiling(), Unveiling()
    assert first.start()
    assert second.start()
    second.stop()
    assert validate([*HEAD, (b"connection", b"close")], REQUEST)
    first.stop()
    assert patched() is ORIGINAL


@pytest.fixture
def wrapped(monkeypatch: pytest.MonkeyPatch) -> Unveiling:
    """Give one that has started, and that somebody has wrapped since; h2 is restored later."""
    monkeypatch.setattr(h2.stream, "validate_headers", ORIGINAL)
    started = Unveiling()
    assert started.start()
    ours = patched()

    def wrapper(headers: Iterable[Any], flags: Any) -> Any:
        return ours(headers, flags)

    monkeypatch.setattr(h2.stream, "validate_headers", wrapper)
    return started


def test_stop_leaves_a_wrapper_alone_and_makes_h2_strict_again(wrapped: Unveiling) -> None:
    wrapper, lines = patched(), [*HEAD, (b"connection", b"close")]
    assert validate(lines, REQUEST) == lines
    wrapped.stop()
    assert patched() is wrapper
    assert validate(HEAD, REQUEST) == HEAD
    with pytest.raises(ProtocolError):
        validate(lines, REQUEST)


def test_it_can_start_again_around_a_wrapper(wrapped: Unveiling) -> None:
    wrapper, lines = patched(), [*HEAD, (b"connection", b"close")]
    wrapped.stop()
    assert wrapped.start()
    assert validate(lines, REQUEST) == lines
    wrapped.stop()
    assert patched() is wrapper


@pytest.mark.parametrize("missing", ["function", "flags"])
def test_an_unknown_h2_is_left_alone(
    missing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if missing == "function":
        monkeypatch.delattr(h2.stream, "validate_headers")
    else:
        monkeypatch.delattr(h2.utilities, "HeaderValidationFlags")
    unveiling = Unveiling()
    before = dict(vars(h2.stream))
    assert not unveiling.start()
    unveiling.stop()
    assert dict(vars(h2.stream)) == before
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "this version of h2 is unknown" in record.getMessage()


@pytest.mark.parametrize("name", [b"connection", b"keep-alive", b"proxy-connection", b"upgrade"])
@pytest.mark.parametrize("flags", [REQUEST, RESPONSE, TRAILERS])
def test_fields_pass_as_they_are(unveiling: Unveiling, name: bytes, flags: Any) -> None:
    start = {REQUEST: HEAD, RESPONSE: [STATUS]}.get(flags, [])
    lines = [*start, (b"a", b"1"), (name, b"x"), (b"b", b"2"), (b"te", b"gzip")]
    assert validate(lines, flags) == lines


def test_transfer_encoding_in_a_response_has_another_name(unveiling: Unveiling) -> None:
    """For mitmproxy would end the connection for it; requests and trailers keep theirs."""
    line = (b"transfer-encoding", b"chunked")
    assert validate([*HEAD, line], REQUEST) == [*HEAD, line]
    assert validate([line], TRAILERS) == [line]
    assert validate([STATUS, line], RESPONSE) == [STATUS, (REFUSED_TRANSFER_ENCODING, b"chunked")]


@pytest.mark.parametrize(
    "line",
    [
        (b"connection", b"a\r\nb"),
        (b"te", b" gzip "),
        (b"upgrade", b"a\0"),
        (b"Connection", b"close"),
        (b":path", b"/other"),
        (b"", b"1"),
        (b"host", b"other.example"),
    ],
)
def test_other_faults_are_still_refused(unveiling: Unveiling, line: tuple[bytes, bytes]) -> None:
    with pytest.raises(ProtocolError):
        validate([*HEAD, (b"connection", b"close"), line], REQUEST)


def test_interim_responses_are_refused_as_ever(unveiling: Unveiling) -> None:
    """For mitmproxy shows them to nobody."""
    hints = [(b":status", b"103"), (b"link", b"</a>")]
    assert validate(hints, RESPONSE) == hints
    with pytest.raises(ProtocolError, match="Connection-specific"):
        validate([*hints, (b"connection", b"close")], RESPONSE)


Told = tuple[bytes, bytes | None, bool, str, str]


@pytest.fixture
def told() -> list[Told]:
    """Give what has been reported."""
    return []


@pytest.fixture
def log(told: list[Told]) -> Iterator[logging.Logger]:
    """Give a log that a handler listens to."""
    logger = logging.getLogger("tests.rejected")
    handler = RefusalHandler(lambda *facts: told.append(facts))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger
    logger.removeHandler(handler)


FROM_CLIENT = "192.0.2.1:50000: HTTP/2 protocol error: "
FROM_SERVER = "198.51.100.1:443: HTTP/2 protocol error: "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            FROM_CLIENT + "Connection-specific header field present: b'connection'.",
            (b"connection", None, True, "192.0.2.1:50000", "192.0.2.1:50000"),
        ),
        (
            FROM_SERVER + "Connection-specific header field present: b'keep-alive'.",
            (b"keep-alive", None, False, "198.51.100.1:443", "192.0.2.1:50000"),
        ),
        (
            FROM_CLIENT + "Invalid value for TE header: b'gzip'",
            (b"te", b"gzip", True, "192.0.2.1:50000", "192.0.2.1:50000"),
        ),
        (
            FROM_CLIENT + """Invalid value for TE header: b"a'b\\\\x00\\xff" """.strip(),
            (b"te", b"a'b\\x00\xff", True, "192.0.2.1:50000", "192.0.2.1:50000"),
        ),
        (
            "[2001:db8::1]:443: HTTP/2 protocol error: Invalid value for TE header: b''",
            (b"te", b"", False, "[2001:db8::1]:443", "192.0.2.1:50000"),
        ),
    ],
)
def test_a_refusal_is_reported(
    log: logging.Logger, told: list[Told], text: str, expected: Told
) -> None:
    log.info(text, extra={"client": CLIENT})
    assert told == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "client connect",
        FROM_CLIENT + "Received uppercase header name b'Connection'.",
        FROM_CLIENT + "Connection-specific header field present: connection.",
        FROM_CLIENT + "Connection-specific header field present: b'connection'. And more",
        FROM_CLIENT + "Connection-specific header field present: b'a' or 'b'.",
        FROM_CLIENT + "Invalid value for TE header: b'a' + b'b'",
        FROM_CLIENT + "Invalid value for TE header: b'\\x'",
    ],
)
def test_other_messages_are_ignored(log: logging.Logger, told: list[Told], text: str) -> None:
    log.info(text, extra={"client": CLIENT})
    assert told == []


def test_messages_without_a_client_are_ignored(log: logging.Logger, told: list[Told]) -> None:
    log.info(FROM_CLIENT + "Connection-specific header field present: b'connection'.")
    log.info(KeyError("not a string"), extra={"client": CLIENT})
    assert told == []
