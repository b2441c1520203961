"""Messages that note what they are asked: what a verdict rests on.

A rule asks a message for facts (its attributes), for fields by their names, or whether there is a
field of some kind. Every other question that `Message` answers comes down to these.
"""

from dataclasses import fields as fields_of
from typing import Any, Literal

from hopguard.fields import NameKind
from hopguard.message import FieldLine, Message, Request, Response, meant_name

_FACTS = frozenset(field.name for kind in (Request, Response) for field in fields_of(kind))
_ALWAYS_ASKED = ("version", "tls")

Look = Literal["number", "whole"]
"""How a value was looked at: whether it is a number, or as a whole."""

NUMBER: Look = "number"
WHOLE: Look = "whole"


class Questions:
    """What a message was asked."""

    def __init__(self) -> None:
        """Begin with what is always asked."""
        self.facts = set(_ALWAYS_ASKED)
        """Attributes of the message. Whoever asks for `fields` has asked for everything."""
        self.names: set[bytes] = set()
        """Fields, by the names that they are meant as."""
        self.looks: dict[bytes, Look] = {}
        """How the values of some of these fields were looked at."""
        self.kinds: set[NameKind] = set()
        """Kinds of fields."""

    def look(self, name: bytes, look: Look) -> None:
        """Note that the values of a field were looked at."""
        name = meant_name(name)
        self.names.add(name)
        if self.looks.get(name) is not WHOLE:
            self.looks[name] = look

    def add(self, others: "Questions") -> bool:
        """Add other questions; tell whether any is new."""
        before = (len(self.facts), dict(self.looks))
        self.facts |= others.facts
        for name, look in others.looks.items():
            self.look(name, look)
        return before != (len(self.facts), self.looks)


class _Witness(Message):
    """Mixed into the class of a message. What it answers is what the message answers."""

    _of: Message
    _asked: Questions

    def __getattribute__(self, name: str) -> Any:
        if name in _FACTS:
            self._asked.facts.add(name)
        elif name == "__class__":  # what `replace` makes is an ordinary message
            return self._of.__class__
        return super().__getattribute__(name)

    def has(self, name: bytes) -> bool:
        self._asked.names.add(meant_name(name))
        return self._of.has(name)

    def has_any(self, kind: NameKind) -> bool:
        self._asked.kinds.add(kind)
        return self._of.has_any(kind)

    def is_number(self, name: bytes) -> bool:
        self._asked.look(name, NUMBER)
        return self._of.is_number(name)

    def lines(self, name: bytes) -> list[FieldLine]:
        self._asked.look(name, WHOLE)
        return self._of.lines(name)

    def misspelt(self, name: bytes) -> list[bytes]:
        self._asked.look(name, WHOLE)
        return self._of.misspelt(name)


class _WitnessedRequest(_Witness, Request):
    pass


class _WitnessedResponse(_Witness, Response):
    pass


def witness(message: Message, asked: Questions) -> Message:
    """Return a message like `message` that adds what it is asked to `asked`."""
    kind = _WitnessedRequest if isinstance(message, Request) else _WitnessedResponse
    made = object.__new__(kind)
    made.__dict__.update({name: vars(message)[name] for name in _FACTS & vars(message).keys()})
    made.__dict__.update(_of=message, _asked=asked)
    return made
