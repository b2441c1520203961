"""mitmproxy's flow filters, for the policy."""

import logging

from mitmproxy import flow as mitmflow
from mitmproxy import flowfilter

from hopguard.checker import without_text
from hopguard.policy import Matches

logger = logging.getLogger(__name__)


def compile_filter(text: str) -> Matches:
    """Compile a flow filter. Where it fails on a flow, it does not match.

    Raises:
        ValueError: it is none.
    """
    compiled = flowfilter.parse(text)

    def matches(flow: mitmflow.Flow) -> bool:
        try:
            return bool(compiled(flow))
        except Exception as error:  # a filter must not keep a finding from being reported
            logger.warning(
                "hopguard: the flow filter %r failed", text, exc_info=without_text(error)
            )
            return False

    return matches
