"""For all tests: whatever makes a record must make a valid one."""

import sys
from collections.abc import Iterator

import hypothesis
import pytest

from hopguard import record
from hopguard.record import Circumstances, Record, Redaction
from hopguard.rule import Finding
from tests.records import faults

_MAKE_RECORD = record.make_record

# A busy machine makes no test fail.
hypothesis.settings.register_profile("hopguard", deadline=None)
hypothesis.settings.load_profile("hopguard")


def make_valid_record(finding: Finding, where: Circumstances, redaction: Redaction) -> Record:
    """Make a record, and hold it against the schema."""
    made = _MAKE_RECORD(finding, where, redaction)
    wrong = faults(made)
    assert not wrong, f"{'; '.join(wrong)}\n{made}"
    return made


@pytest.fixture(scope="session", autouse=True)
def _valid_records() -> Iterator[None]:
    """Replace `make_record` in every module that has it."""
    with pytest.MonkeyPatch.context() as patch:
        for module in list(sys.modules.values()):
            if vars(module).get("make_record") is _MAKE_RECORD:
                patch.setattr(module, "make_record", make_valid_record)
        yield
