"""Plain messages that are known with all that is found in them: see `hopguard.memo`.

To look one up is the question that has to be answered in no time, since most messages are such.
Nothing is learnt here: what is not known is left to the checker.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

from hopguard.index import AnswerIndex, Index, answer_trigger, request_trigger
from hopguard.memo import Memo, View
from hopguard.message import Message, RawFields, Request, Response, Version
from hopguard.plans import Plan, are_in
from hopguard.rule import Finding
from hopguard.selection import Lines

# Peers choose what is shared: it is bounded.
_MOST_SHARED = 512
_LONGEST_SHARED = 1024

Known = tuple[View, Sequence[Finding]]
"""The view of the header section of a message, and what is found in it."""


class Lookup:
    """Looks up messages of which nothing is made: they are like others, but for their fields.

    Each method takes `before`, what it has returned for a message like the same: most messages
    resemble the one before them.
    """

    def __init__(
        self,
        memo: Memo,
        requests: Mapping[Version, Index],
        answers: Mapping[Version, AnswerIndex],
    ) -> None:
        """Look up in `memo` what has been judged by those indexes."""
        self._memo = memo
        self._select = memo.select
        self._requests = requests
        self._answers = answers
        self._shared: dict[object, Known] = {}

    def request(self, fields: RawFields, like: Request, before: Known | None) -> Known | None:
        """Look up a request with these `fields`; but for its target, too, it is `like` another.

        Returns None if it is not known, or not plain.
        """
        memo, lines = self._memo, self._select(fields)
        if before is not None:
            (lines_before, _, since), findings = before
            if lines == lines_before and since is memo.since:
                return before if not findings or are_in(findings, fields) else None
        names = tuple([name for name, _ in lines])
        index = self._requests[like.version]
        plan = memo.plans.get((index, request_trigger(like), (names,)))
        found = _findings(plan, lines, (fields,), like) if plan is not None else None
        return self._known((lines, names, memo.since), found, before)

    def answer(
        self,
        asked_fields: RawFields,
        asked: View,
        asked_like: Request,
        fields: RawFields,
        like: Response,
        before: Known | None,
    ) -> Known | None:
        """Look up a response with these `fields`, and the exchange that it ends, in the same way.

        Its request has the fields `asked_fields`, of which `asked` is the view; so had the one to
        which `before` belongs.
        """
        memo = self._memo
        asked_lines, asked_names, since = asked
        if since is not memo.since:
            return None
        lines, sections = self._select(fields), (asked_fields, fields)
        if before is not None:
            (lines_before, _, since_before), findings = before
            if lines == lines_before and since_before is since:
                return before if not findings or are_in(findings, *sections) else None
        names = tuple([name for name, _ in lines])
        index = self._answers[like.version]
        plan = memo.plans.get((index, answer_trigger(asked_like, like), (asked_names, names)))
        if plan is None:
            return None
        found = _findings(plan, asked_lines + lines, sections, asked_like, like)
        return self._known((lines, names, since), found, before)

    def _known(
        self, view: View, findings: Sequence[Finding] | None, before: Known | None
    ) -> Known | None:
        """Return what is known, if anything is: where nothing was before, the same for all.

        So connections begin with what others compare their messages with all the time: it is in the
        processor's caches.
        """
        if findings is None:
            return None
        known = view, findings
        lines, _, since = view
        if before is not None or sum(map(len, chain(*lines))) > _LONGEST_SHARED:
            return known
        if len(self._shared) >= _MOST_SHARED:
            self._shared.clear()
        same = self._shared.setdefault((since, *lines), known)
        return same if same[1] is findings else known


def _findings(
    plan: Plan, lines: Lines, sections: Sequence[RawFields], *like: Message
) -> Sequence[Finding] | None:
    """Return what is found in messages with those `lines` and `sections`, if they are plain."""
    known = plan.outcome_of(lines, *like)
    if known is None or not known.plain:
        return None
    if known.loud is None:
        return ()
    found = known.loud.outcome_of(lines, *like)
    return found.findings if found is not None and found.is_found_in(*sections) else None
