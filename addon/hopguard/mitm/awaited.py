"""The hook for the end of requests, which is there for those of which it may say something.

mitmproxy does not call a hook that is false, and to be called costs more than most of what the
addon does for a request. If it was called nevertheless, nothing else would come of it.
"""

from collections.abc import Callable

from mitmproxy import http


class AwaitedEnds(set[str]):
    """The ids of flows whose requests are not over, and whose ends matter; called with any flow."""

    def __init__(self, judge: Callable[[http.HTTPFlow], None]) -> None:
        """Wait for nothing; `judge` is called with flows that are waited for."""
        super().__init__()
        self._judge = judge

    def __call__(self, flow: http.HTTPFlow) -> None:
        """Judge the end of a request, if it is waited for."""
        if flow.id in self:
            self.remove(flow.id)
            self._judge(flow)
