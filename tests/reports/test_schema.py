"""The schema of the violation log says what the code says."""

from copy import deepcopy
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from hopguard import record as record_module
from hopguard.message import FieldLine, Leg, Part, Sender, Version
from hopguard.record import SCHEMA as NAME
from hopguard.record import Action, Circumstances, Record, Redaction, make_record
from hopguard.rule import Finding, Keyword, Requirement, Severity
from hopguard.rules import load_rules
from tests import conftest
from tests.records import SCHEMA, faults

PROPERTIES = SCHEMA["properties"]


def a_record() -> Record:
    """Make a record in which nothing is unknown."""
    finding = Finding(
        rule="some-rule",
        variant="some-variant",
        severity=Severity.ERROR,
        text="It is so.",
        requirement=Requirement(9110, "7.6.1", "MUST NOT"),
        sender="client",
        leg="client",
        part="request",
        version="HTTP/1.1",
        line=FieldLine("header", 0, b"Connection", b"x"),
    )
    where = Circumstances(
        time=0,
        edits=("It was removed.",),
        method=b"GET",
        url="http://h/",
        status=200,
        flow="f",
        connection="c",
        client="192.0.2.1:5",
        server="192.0.2.2:80",
    )
    return make_record(finding, where, Redaction())


def test_it_is_a_schema() -> None:
    """Of the draft that it names."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        (PROPERTIES["severity"], {str(severity) for severity in Severity}),
        (PROPERTIES["sender"], set(get_args(Sender))),
        (PROPERTIES["leg"], set(get_args(Leg))),
        (PROPERTIES["part"], set(get_args(Part))),
        (PROPERTIES["http_version"], set(get_args(Version))),
        (PROPERTIES["action"], set(get_args(Action))),
        (
            PROPERTIES["requirement"]["properties"]["keyword"],
            {keyword or None for keyword in get_args(Keyword)},
        ),
    ],
)
def test_its_enumerations_are_the_codes(where: dict[str, Any], allowed: set[object]) -> None:
    """Neither more nor less."""
    assert set(where["enum"]) == allowed
    assert len(where["enum"]) == len(allowed)


def test_its_keys_are_the_codes() -> None:
    """In the same order, all of them required, no other allowed."""
    made = a_record()
    assert list(PROPERTIES) == SCHEMA["required"] == list(made)
    requirement = PROPERTIES["requirement"]
    assert list(requirement["properties"]) == requirement["required"] == list(made["requirement"])
    assert PROPERTIES["schema"]["const"] == NAME
    objects = (SCHEMA, requirement)
    assert all(one["additionalProperties"] is False for one in objects)


def test_everything_is_described() -> None:
    """For people who read nothing else."""
    everything = PROPERTIES | PROPERTIES["requirement"]["properties"] | SCHEMA["$defs"]
    assert [name for name, one in everything.items() if not one["description"].endswith(".")] == []


def test_every_rule_and_variant_can_be_written() -> None:
    """Their ids and requirements have the form that the schema asks for."""
    for rule in load_rules():
        for variant in rule.variants or ("",):
            made = a_record()
            made["rule"], made["variant"] = rule.id, variant or None
            for requirement in (rule.requirement, *rule.also):
                made["requirement"]["url"] = requirement.url
                assert faults(made) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("schema", value) for value in ("hopguard/2", None)],
        *[("time", value) for value in ("1970-01-01T00:00:00Z", "1970-01-01", 0)],
        *[("rule", value) for value in ("", "A", "a b", "a/b", None)],
        *[("message", value) for value in ("", "\x1b[31m", "caf\xe9", "two\nlines", "end\n", None)],
        *[("severity", value) for value in ("fatal", "ERROR", None)],
        *[("http_version", value) for value in ("HTTP/2.0", None)],
        *[("value", value) for value in ("\x1b", "end\n", 1)],
        *[("line", value) for value in (-1, "0", 0.5)],
        *[("edits", value) for value in (None, "x", [None], ["\n"])],
        *[("status", value) for value in ("200", 1000)],
        *[("requirement", value) for value in (None, {}, {"rfc": 9110})],
        ("url", "http://h/\u202e"),
        ("surplus", None),
    ],
)
def test_what_is_wrong_is_found(key: str, value: object) -> None:
    """A schema that lets everything pass would be of no use."""
    assert faults({**a_record(), key: value})


def test_what_is_missing_is_found() -> None:
    """Or in another order."""
    made = a_record()
    for key in made:
        assert faults({name: made[name] for name in made if name != key})
        assert faults({key: made[key], **made}) or key == "schema"
    for key in made["requirement"]:
        broken = deepcopy(made)
        del broken["requirement"][key]
        assert faults(broken)


def test_all_tests_make_valid_records() -> None:
    """See tests/conftest.py."""
    assert record_module.make_record is conftest.make_valid_record
    assert make_record is conftest.make_valid_record
    bad = Circumstances(time=0, status=5000)
    finding = Finding(
        **{
            **dict.fromkeys(Finding.__dataclass_fields__, ""),
            "line": None,
            "requirement": Requirement(9110),
        }  # type: ignore[arg-type]
    )
    with pytest.raises(AssertionError, match=r"\$\.rule"):
        make_record(finding, bad, Redaction())
