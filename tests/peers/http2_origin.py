import ssl
from collections.abc import Mapping

from hpack import HPACKError
from hyperframe.exceptions import HyperframeError

from .http1 import MalformedMessageError
from .http1_origin import StreamOrigin
from .http2 import PREFACE, Http2Streams
from .multiplexed import Answering
from .origin import Connection
from .script import Answer, Answers, answer
from .wire import Wire

NOT_FOUND = answer(status=404)


class Http2Origin(StreamOrigin):
    """Answers over TLS; its context must offer `h2`. Streams are answered independently.

    Requests are recorded when their stream has ended, or was reset, or when the connection ended.
    """

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        tls: ssl.SSLContext,
        default: Answer = NOT_FOUND,
        settings: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(answers, default, tls)
        self._settings = settings

    async def serve(self, wire: Wire, connection: Connection) -> None:
        """Read frames until the connection ends."""
        if (preface := await wire.exactly(len(PREFACE))) != PREFACE:
            raise MalformedMessageError(f"not HTTP/2 (ALPN {wire.alpn}): {preface!r}")
        streams = Http2Streams(wire, client=False, settings=self._settings)
        Answering(self, connection, streams)
        try:
            await streams.start()
            await streams.receive()
        except (HPACKError, HyperframeError) as error:
            raise MalformedMessageError(repr(error)) from error
        finally:
            streams.lost()
