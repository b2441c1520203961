"""What the README says of captures is so."""

from typing import Any

import pytest

from hopguard.captures.flowfile import LOST
from tests.test_readme import block


def test_what_flow_files_have_lost() -> None:
    """The table is made of what the reader says."""
    rows = ["| lost | rules that find nothing |", "| --- | --- |"]
    for loss in LOST:
        rules = ", ".join(f"`{rule}`" for rule in sorted(loss.rules))
        rows.append(f"| {loss.what} | {rules} |")
    assert block("losses") == "\n".join(rows)


def test_the_workflow_uploads_what_the_scan_writes() -> None:
    """It is a workflow, and may upload."""
    ruamel: Any = pytest.importorskip("ruamel.yaml", reason="comes with mitmproxy")
    text = block("actions").removeprefix("```yaml\n").removesuffix("```")
    workflow = ruamel.YAML(typ="safe").load(text)
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"]["security-events"] == "write"
    upload = job["steps"][-1]
    assert upload["uses"].startswith("github/codeql-action/upload-sarif@")
    assert upload["if"] == "always()"
    (scan,) = [step["run"] for step in job["steps"] if "hopguard scan" in step.get("run", "")]
    words = scan.split()
    assert words[words.index("--output") + 1] == upload["with"]["sarif_file"]
    assert words[words.index("--format") + 1] == "sarif"
