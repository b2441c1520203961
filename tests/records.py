"""Records and violation logs, held against the schema that the package publishes."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA: dict[str, Any] = json.loads(
    files("hopguard").joinpath("reports", "record.schema.json").read_text("utf-8")
)
_VALIDATOR = Draft202012Validator(SCHEMA)


def faults(record: object) -> list[str]:
    """Say what is wrong with a record."""
    found = [f"{error.json_path}: {error.message}" for error in _VALIDATOR.iter_errors(record)]
    if not found and list(record) != SCHEMA["required"]:  # type: ignore[call-overload]
        found = ["the keys are not in the documented order"]
    return found


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read a violation log; every line must be a valid record."""
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for number, record in enumerate(records, 1):
        wrong = faults(record)
        assert not wrong, f"{path}, line {number}: {'; '.join(wrong)}\n{record}"
    return records
