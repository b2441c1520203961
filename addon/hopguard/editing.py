"""Edits of field lines: what the repairs of the rules are made of. All are pure.

Lines that an edit is not about stay as they are, octet for octet and in order. No edit removes the
option `close`, nor Transfer-Encoding from a header section: see `hopguard.hazards`.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from hopguard import fields, grammar
from hopguard.message import HTTP1, HTTP11, Message, Request, Response, Section
from hopguard.rule import Edit, Finding

CLOSE = b"close"
KEEP_ALIVE = b"keep-alive"
TRANSFER_ENCODING = b"transfer-encoding"

_Pair = tuple[bytes, bytes]


def edit_lines[M: Message](
    message: M, edit: Callable[[bytes, bytes], _Pair | None], section: Section = "header"
) -> M:
    """Replace each field line of a section, name and value, by what `edit` makes of it.

    None removes the line.
    """
    pairs = message.fields if section == "header" else message.trailers or ()
    made = [(pair, edit(*pair)) for pair in pairs]
    edited = tuple(pair if new == pair else new for pair, new in made if new is not None)
    if edited == pairs:
        return message
    if section == "header":
        return replace(message, fields=edited)
    return replace(message, trailers=edited)


def edit_members[M: Message](message: M, name: bytes, edit: Callable[[bytes], bytes | None]) -> M:
    """Replace each member of the list-based field called `name` (lower case) by what `edit` makes.

    None drops the member. A line of which nothing changes stays as it is, one without any member
    too. In a line that is written anew, empty members are left out, and the option close is in
    lower case, since mitmproxy knows it in no other spelling; a line of which nothing is left is
    removed.
    """
    quoted = name in fields.LISTS_WITH_QUOTED_STRINGS
    split = grammar.split_quoted_list if quoted else grammar.split_list

    def edit_line(found: bytes, value: bytes) -> _Pair | None:
        if found.lower() != name:
            return found, value
        members = split(grammar.unfold(value))
        edited = [edit(member) for member in members]
        if members in ([b""], edited):
            return found, value
        kept = [_canonical(one) if name == b"connection" else one for one in edited if one]
        return (found, b", ".join(kept)) if kept else None

    return edit_lines(message, edit_line)


def _canonical(option: bytes) -> bytes:
    return CLOSE if option.lower() == CLOSE else option


def drop_options[M: Message](message: M, options: Collection[bytes]) -> M:
    """Drop `options` (lower case) from Connection, over all its lines; `close` always stays."""
    dropped = frozenset(options) - {CLOSE}
    if message.version not in HTTP1 or dropped.isdisjoint(message.options):
        return message
    return edit_members(message, b"connection", lambda one: None if one.lower() in dropped else one)


def dropping_options(options: Collection[bytes]) -> Edit:
    """Make a repair that drops `options` (lower case) from Connection and keeps their fields."""

    def edit[M: Message](message: M, finding: Finding, /) -> M:
        return drop_options(message, options)

    return edit


def remove_fields[M: Message](
    message: M, names: Collection[bytes], section: Section = "header"
) -> M:
    """Remove the field lines with `names` (lower case) from a section.

    In a header section, the connection option goes with the field, and Transfer-Encoding stays.
    """
    removed = frozenset(names)
    if section == "header":
        removed -= {TRANSFER_ENCODING}
    edited = edit_lines(
        message, lambda name, value: None if name.lower() in removed else (name, value), section
    )
    return drop_options(edited, removed) if section == "header" else edited


def remove_field[M: Message](message: M, finding: Finding, /) -> M:
    """Remove all lines of the field that `finding` is about from its section: see above."""
    if finding.line is None:
        return message
    return remove_fields(message, {finding.line.name.lower()}, finding.line.section)


def drop_members[M: Message](message: M, name: bytes, members: Collection[bytes]) -> M:
    """Drop `members` (lower case) from the list-based field `name`, with the last its option."""
    edited = edit_members(message, name, lambda one: None if one.lower() in members else one)
    return drop_options(edited, {name}) if message.has(name) and not edited.has(name) else edited


def say_close[M: Message](message: M, finding: Finding, /) -> M:
    """Announce close: see below."""
    return announce_close(message)


def announce_close[M: Message](message: M) -> M:
    """Announce close in Connection, and nothing else about the persistence of the connection.

    A keep-alive makes place for it; otherwise it is added to the first Connection line, or in one
    of its own, if there is none or if it holds control octets.
    """
    if message.version not in HTTP1:
        return message
    said = CLOSE in message.options

    def edit(member: bytes) -> bytes | None:
        nonlocal said
        if member.lower() != KEEP_ALIVE:
            return _canonical(member)
        before, said = said, True
        return None if before else CLOSE

    edited = remove_fields(edit_members(message, b"connection", edit), {KEEP_ALIVE})
    return edited if said else _add_close(edited)


def _add_close[M: Message](message: M) -> M:
    lines = message.lines(b"connection")[:1]
    if not lines or message.has_control(lines[0]):
        return replace(message, fields=(*message.fields, (b"Connection", CLOSE)))
    line = lines[0]
    members = filter(None, grammar.split_list(grammar.unfold(line.value)))
    pairs = list(message.fields)
    pairs[line.position] = (line.name, b", ".join([*members, CLOSE]))
    return replace(message, fields=tuple(pairs))


def join_lines[M: Message](message: M, finding: Finding, /) -> M:
    """Write the members of all Connection lines into the first one that has any.

    Without any member, no line is left. A line that alone has members stays as it is, and so do all
    if one holds control octets: what follows those may not belong to it.
    """
    lines = message.lines(b"connection")
    if any(map(message.has_control, lines)):
        return message
    members = [member for member in message.members(b"connection") if member.value]
    joined: dict[int, _Pair] = {}
    if members:
        first, alone = members[0].line, members[0].line == members[-1].line
        value = first.value if alone else b", ".join(member.value for member in members)
        joined[first.position] = (first.name, value)
    left_out = {line.position for line in lines} - joined.keys()
    pairs = enumerate(message.fields)
    kept = tuple(joined.get(place, pair) for place, pair in pairs if place not in left_out)
    return replace(message, fields=kept)


def unfold[M: Message](message: M, names: Collection[bytes]) -> M:
    """Replace each folding in the field lines with `names` (lower case) by one SP."""
    if message.version not in HTTP1:
        return message
    return edit_lines(
        message,
        lambda name, value: (name, grammar.unfold(value) if name.lower() in names else value),
    )


def reduce_te[M: Message](message: M, finding: Finding, /) -> M:
    """Reduce TE to `trailers` where a request lists that; otherwise remove it and its option.

    What trailers stands for (RFC 9110, section 10.1.4) has nothing to do with transfer codings, and
    gRPC servers insist on it.
    """
    if isinstance(message, Response):
        return remove_fields(message, {b"te"})
    edited = edit_members(message, b"te", lambda one: one if one.lower() == b"trailers" else None)
    return edited if edited.has(b"te") else drop_options(edited, {b"te"})


def withdraw_h2c[M: Message](message: M, finding: Finding, /) -> M:
    """Remove HTTP2-Settings, a request's offer of h2c, and the options that go with them.

    Without them the request is answered over HTTP/1.1, as every client that offers h2c has to
    accept (RFC 7540, section 3.2).
    """
    edited = remove_fields(message, {b"http2-settings"})
    if isinstance(message, Request) and message.version in HTTP11:
        edited = drop_members(edited, b"upgrade", {b"h2c"})
    return edited
