"""What people load to have messages passed on as they come, not when they are complete."""

from mitmproxy.http import HTTPFlow

STREAMED = ("text/event-stream", "application/grpc")


def requestheaders(flow: HTTPFlow) -> None:
    flow.request.stream = flow.request.headers.get("content-type", "").startswith(STREAMED)


def responseheaders(flow: HTTPFlow) -> None:
    assert flow.response
    flow.response.stream = flow.response.headers.get("content-type", "").startswith(STREAMED)
