"""The catalogue: every rule can be listed and explained, in every format."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hopguard.catalogue.document import (
    Block,
    Example,
    Facts,
    Heading,
    Item,
    Paragraph,
    as_markdown,
    as_text,
    escape,
    example_lines,
)
from hopguard.catalogue.explanation import explain
from hopguard.catalogue.facts import (
    UNNAMED,
    VISIBLE,
    RequirementData,
    RuleData,
    VariantData,
    as_data,
    group_title,
    runs,
    senders,
    versions_in_words,
)
from hopguard.catalogue.listing import list_rules
from hopguard.catalogue.lookup import UnknownNameError, find_group, find_rule, select
from hopguard.catalogue.repairs import NO_REPAIR, fixable
from hopguard.editing import remove_field
from hopguard.message import EVERY_VERSION, HTTP1, HTTP2, HTTP3, HTTP10, HTTP11, Message, Version
from hopguard.rule import (
    DEFAULT_PROFILES,
    ERROR,
    INFO,
    WARNING,
    Evidence,
    Requirement,
    Rule,
    Variant,
    exchange_rule,
    message_rule,
    request_rule,
    response_rule,
)
from hopguard.rules import load_rules

RULES = load_rules()
NAMES = [rule.id for rule in RULES] + [
    f"{rule.id}/{name}" for rule in RULES for name in rule.variants
]


@message_rule(
    requirement=Requirement(9110, "7.6.1", "MUST"),
    also=(Requirement(document="A *paper*", link="https://www.example/paper"),),
    variants={
        "": ERROR,
        "odd": Variant(INFO, profiles=("noise",), requirement=Requirement(9112, "9.6", "SHOULD")),
        "old": Variant(WARNING, raised_by={"rfc7230": ERROR}),
    },
    profiles=("rfc9110", "rfc2616"),
    silenced_by=("rfc7231",),
    versions=HTTP1,
    visible="raw",
    violating={
        "": ["\n> GET / HTTP/1.1\n>! Connection: a\n"],
        "odd": ["\n> GET / HTTP/1.1\n>! Connection: b\n"] * 3,
        "old": ["\n> GET / HTTP/1.1\n>! Connection: c\n"],
    },
    conforming=["\n> GET / HTTP/1.1\n"],
)
def made_up(message: Message) -> Iterator[Evidence]:
    """Something | is wrong.

    It breaks a/b#7 and leaves
    __name__ and snake_case alone.

    Do not <do> it.
    """
    yield from ()


def test_words_of_a_made_up_rule() -> None:
    """Everything that a declaration can hold is told."""
    assert list_rules([made_up]) == (
        f"tests ({made_up.group})\n\n".replace("tests", group_title(made_up))
        + f"error    {made_up.id}\n"
        "         Something | is wrong.\n"
        "         HTTP/1.x; from client or server; only in captures that hold the raw\n"
        "         octets; fix: no\n"
        "         profiles: rfc9110, rfc2616; silent with rfc7231\n"
        "         variants: odd (info, only with noise), old (warning, error with\n"
        "         rfc7230), otherwise (error)\n"
        "         RFC 9110, section 7.6.1 (MUST)\n"
        "         https://www.rfc-editor.org/rfc/rfc9110.html#section-7.6.1"
    )


def test_explanation_of_a_made_up_rule() -> None:
    """Text first, then facts, what fix does, and examples."""
    text = explain(made_up.id, [made_up])
    assert text.startswith(f"{made_up.id}\n{'=' * len(made_up.id)}\n\nSomething | is wrong.\n\n")
    assert "It breaks a/b#7 and leaves __name__ and snake_case alone.\n\nDo not <do> it." in text
    assert "  Severity     odd: info, only with noise\n               old: warning, error" in text
    assert f"               {UNNAMED}: error\n" in text
    assert "               odd: RFC 9112, section 9.6 (SHOULD)\n               https://" in text
    assert NO_REPAIR.partition(".")[0] in text
    assert text.count("Violating: odd:\n") == 2
    assert "Violating:\n\n    > GET / HTTP/1.1\n    > Connection: a\n      ^^^" in text
    assert text.endswith("1 more with --all-examples.")


def test_explanation_of_one_variant() -> None:
    """The others are left out, with their requirements and their examples."""
    text = explain(f"{made_up.id}/old", [made_up], all_examples=True)
    assert text.startswith(f"{made_up.id}/old\n")
    assert "Severity     old: warning" in text
    assert "Violating: old:" in text
    assert "odd" not in text
    assert "more with" not in text


def test_markdown_cannot_act() -> None:
    """What the texts hold is shown, not interpreted; references become links."""
    text = explain(made_up.id, [made_up], "markdown")
    assert "Something \\| is wrong." in text
    assert "breaks [a/b#7](https://github.com/a/b/issues/7) and leaves \\_\\_name\\_\\_ and" in text
    assert "snake_case" in text
    assert "Do not \\<do\\> it." in text
    assert "- See also: [A \\*paper\\*](https://www.example/paper)" in text
    assert "```text\n> GET / HTTP/1.1\n> Connection: a\n  ^^^^^^^^^^^^^\n```" in text


def test_a_repair_is_told() -> None:
    """Where there is one."""
    rule = replace(made_up, repair="Leave it out.", edits={"": remove_field, "odd": remove_field})
    heading = "What fix does\n-------------\n\n"
    told = explain(rule.id, [rule], width=100)
    assert f"{heading}Leave it out. Without a safe repair, and so left at flag: old.\n" in told
    assert f"{heading}Leave it out.\n" in explain(f"{rule.id}/odd", [rule])
    assert f"{heading}Nothing: there is no" in explain(f"{rule.id}/old", [rule])
    data = as_data(rule)
    assert (data["repair"], data["fix"]) == ("Leave it out.", "partly")
    assert {one["name"]: one["fix"] for one in data["variants"]} == {
        None: True,
        "odd": True,
        "old": False,
    }


def test_where_a_repair_is_complete() -> None:
    """For all variants, and in both directions."""
    edits = dict.fromkeys(made_up.variants, remove_field)
    complete = replace(made_up, edits=edits)
    one_way = replace(made_up, edits=edits, edits_in=frozenset({"response"}))
    assert [fixable(rule) for rule in (made_up, one_way, complete)] == ["no", "partly", "yes"]


def test_table_tells_what_is_out_of_the_ordinary() -> None:
    """Off by default, or not visible on live traffic; nothing else."""
    optional = replace(made_up, profiles=frozenset({"noise"}))
    plain = replace(made_up, visible="hooks")
    rows = [list_rules([rule], "markdown").splitlines()[-1] for rule in (optional, plain)]
    start = f"| `{made_up.id}` | error, warning, info | HTTP/1.x | client, server | no | "
    what = (
        "Something \\| is wrong. [RFC 9110, section 7.6.1]"
        "(https://www.rfc-editor.org/rfc/rfc9110.html#section-7.6.1)."
    )
    assert rows == [
        f"{start}{what} Profile noise; silent with rfc7231; off by default."
        " Only in captures that hold the raw octets. |",
        f"{start}{what} |",
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_listed_in_text(rule: Rule) -> None:
    """In 80 columns, addresses apart; the id, the title and the requirement are there."""
    text = list_rules([rule])
    assert f"{rule.severity!s:<9}{rule.id}\n" in text
    assert rule.title in " ".join(text.split())
    assert text.endswith(f" {rule.requirement.url}")
    assert all(len(line) <= 80 for line in text.splitlines() if "https://" not in line)
    assert ("off by default" in text) is not runs(rule, DEFAULT_PROFILES)


def test_every_rule_is_listed_as_json() -> None:
    """With the keys that are documented, in their order."""
    listed = json.loads(list_rules(RULES, "json"))
    assert [rule["id"] for rule in listed] == [rule.id for rule in RULES]
    for rule in listed:
        assert list(rule) == list(RuleData.__annotations__)
        assert list(rule["requirement"]) == list(RequirementData.__annotations__)
        assert rule["visible"] in VISIBLE
        assert rule["senders"]
        for variant in rule["variants"]:
            assert list(variant) == list(VariantData.__annotations__)


def test_every_rule_is_listed_in_markdown() -> None:
    """One row each, in one table for each group."""
    lines = list_rules(RULES, "markdown").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [rule.id for rule in RULES]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
    groups = {group_title(rule) for rule in RULES}
    assert [line for line in lines if line.startswith("### ")] == [
        f"### {escape(title)}" for title in dict.fromkeys(group_title(rule) for rule in RULES)
    ]
    assert len(groups) == len({rule.group for rule in RULES})


@pytest.mark.parametrize("name", NAMES)
def test_everything_can_be_explained(name: str) -> None:
    """Every rule and variant, in every format and width; nothing is lost."""
    rule, _ = find_rule(name, RULES)
    for width in (40, 80, 100):
        text = explain(name, RULES, width=width)
        prose = text.partition("\n  Severity")[0].partition("\n\n")[2]
        assert prose.split() == [*rule.title.split(), *rule.explanation.split()]
        longest = max(map(len, prose.split()))
        assert all(len(line) <= max(width, longest) for line in prose.splitlines())
    text = explain(name, RULES, "text", all_examples=True)
    facts = text.partition("\n  Severity")[2].partition("\n\n")[0].splitlines()
    assert all(len(line) <= 80 for line in facts if "https://" not in line)
    assert text.count("\nConforming:\n") == len(rule.conforming)
    markdown = explain(name, RULES, "markdown", all_examples=True)
    assert markdown.count("### Conforming\n") == len(rule.conforming)
    assert markdown.count("```") == 2 * markdown.count("```text\n")
    assert "!" not in "".join(line[1:2] for line in markdown.splitlines() if line[:1] in "<>")


@pytest.mark.parametrize("group", sorted({rule.group for rule in RULES}))
def test_a_group_is_explained_by_its_rules(group: str) -> None:
    """As the list shows them."""
    rules = find_group(group, RULES)
    assert {rule.group for rule in rules} == {group}
    assert explain(group, RULES) == list_rules(rules)
    assert explain(group, RULES, "markdown") == list_rules(rules, "markdown")
    assert "__" not in group_title(rules[0])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_slip_is_understood(rule: Rule) -> None:
    """One letter too few, another letter case, or the name of the module."""
    for slip in (rule.id[:3] + rule.id[4:], rule.id.upper(), rule.id.replace("-", "_")):
        with pytest.raises(UnknownNameError) as caught:
            find_rule(slip, RULES)
        assert str(caught.value) == f"there is no rule {slip!r}; did you mean {rule.id!r}?"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("qqqq", "there is no rule 'qqqq'; `hopguard rules` lists all"),
        ("qqqq/x", "there is no rule 'qqqq'; `hopguard rules` lists all"),
        (f"{made_up.group}s", f"there is no rule '{made_up.group}s'; did you mean"),
        ("test-catalogue/x", "the rule 'test-catalogue' has no variant 'x'; it has odd, old"),
    ],
)
def test_unknown_names(name: str, said: str) -> None:
    """The sentence says what to type instead."""
    with pytest.raises(UnknownNameError, match=re.escape(said)):
        explain(name, [made_up])


def test_a_rule_without_variants() -> None:
    """Has none of any name."""
    rule = replace(made_up, variants={}, violating={"": made_up.violating[""]})
    with pytest.raises(UnknownNameError, match="has no variant 'odd', nor any other"):
        find_rule(f"{rule.id}/odd", [rule])
    assert "Severity     error\n" in explain(rule.id, [rule])
    assert "variants" not in list_rules([rule])


def test_profiles_select_rules() -> None:
    """As the checker does, with what silences a rule."""
    assert select(["default"], [made_up]) == (made_up,)
    assert select(["default", "rfc7231"], [made_up]) == ()
    assert select(["noise"], [made_up]) == ()
    for name, hint in {"rfc911": "did you mean 'rfc9110'?", "x": "there are default, "}.items():
        with pytest.raises(UnknownNameError, match=re.escape(f"no profile {name!r}; {hint}")):
            select([name], RULES)


def test_variants_run_with_their_profiles() -> None:
    """And the rule's."""
    assert runs(made_up, DEFAULT_PROFILES, "old")
    assert not runs(made_up, DEFAULT_PROFILES, "odd")
    assert runs(made_up, [*DEFAULT_PROFILES, "noise"], "odd")
    assert not runs(made_up, ["noise"], "odd")


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        (EVERY_VERSION, "all"),
        (HTTP1, "HTTP/1.x"),
        (HTTP1 | HTTP2, "HTTP/1.x, HTTP/2"),
        (HTTP2 | HTTP3, "HTTP/2, HTTP/3"),
        (HTTP11 | HTTP3, "HTTP/1.1, HTTP/3"),
        (HTTP10, "HTTP/1.0"),
    ],
)
def test_versions(versions: frozenset[Version], words: str) -> None:
    """As brief as possible."""
    assert versions_in_words(versions) == words


def test_senders() -> None:
    """By the message that the rule is about; of an exchange, by the lines at fault."""
    examples = ["> GET / HTTP/1.1\n<! HTTP/1.1 200 OK"]
    requirement, profiles = Requirement(9110, "7.6.1"), ("rfc9110",)

    def check(*_: object) -> Iterator[Evidence]:
        yield from ()

    found = [
        senders(
            decorator(
                requirement=requirement,
                profiles=profiles,
                versions=HTTP1,
                violating=examples,
                conforming=[],
            )(check)
        )
        for decorator in (message_rule, request_rule, response_rule, exchange_rule)
    ]
    assert found == [["client", "server"], ["client"], ["server"], ["server"]]


def test_marked_lines_are_underlined() -> None:
    """Whatever they hold; the notation's own mark is not shown."""
    text = """
        * TLS
        > GET / HTTP/1.1
        >! Connection:
        > close!
        >
        <! HTTP/1.1 200
    """
    assert example_lines(text) == [
        "* TLS",
        "> GET / HTTP/1.1",
        "> Connection:",
        "  ^^^^^^^^^^^",
        "> close!",
        ">",
        "< HTTP/1.1 200",
        "  ^^^^^^^^^^^^",
    ]


def test_a_document_in_both_forms() -> None:
    """Each block has a form of its own."""
    document: list[Block] = [
        Heading("One", 1),
        Heading("Two"),
        Heading("Three", 3),
        Paragraph("some-hyphenated-words here"),
        Facts([("Label", [Item("x" * 30), Item("y", "https://www.example/")]), ("B", [Item("z")])]),
        Example("> a"),
    ]
    assert as_text(document, 20) == (
        "One\n===\n\nTwo\n---\n\nThree:\n\nsome-hyphenated-words\nhere\n\n"
        f"  Label  {'x' * 30}\n         y\n         https://www.example/\n  B      z\n\n    > a"
    )
    assert as_markdown(document) == (
        "# One\n\n## Two\n\n### Three\n\nsome-hyphenated-words here\n\n"
        f"- Label: {'x' * 30}; [y](https://www.example/)\n- B: z\n\n```text\n> a\n```"
    )
