"""What to do about a finding, as far as a rule's explanation says so."""

import re

from hopguard.rule import Rule

_ADVICE = re.compile(
    r"""
    (?:^|[.:;]\ |,\ (?:and\ |or\ ))  # where a sentence or a clause begins
    (?:
        (?:send|set|use|drop|remove|delete|update|rename|write|join|filter|reject|ignore|let|take
          |compare|look|hide|put|leave|keep|give|decide|split|update|configure|quote|switch|stop
          |have|make|check|close|answer|name|list|count|treat|do\ not|never|rather)\b
      | in\ (?:nginx|apache|haproxy|envoy|go|java|node|curl|a|the|code|application)\b
      | the\ (?:remedy|repair|cure)\b
      | nothing\ needs\b
      | a\ proxy\ should\b
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def advice(rule: Rule) -> str:
    """Return the paragraph of the rule's explanation that tells best what to do, in one line.

    It is the one with the most instructions: clauses that begin with what to do, or in which
    product. Where several have as many, it is the last but one: explanations go from why it
    matters and who does it to what to do, and end with what is not judged.
    """
    paragraphs = [" ".join(text.split()) for text in rule.explanation.split("\n\n")]
    usual = max(len(paragraphs) - 2, 0)
    paragraphs.insert(0, paragraphs.pop(usual))
    return max(paragraphs, key=lambda text: len(_ADVICE.findall(text)))
