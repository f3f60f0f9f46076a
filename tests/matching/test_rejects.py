"""Refusals by meaning, and the venue's codes they stand for: protocol reference 2.8."""

import re
from pathlib import Path

import pytest

from lighterman.matching import rejects
from lighterman.matching.rejects import Reject
from lighterman.protocol.codes import Code

SOURCE = Path(rejects.__file__).read_text(encoding="utf-8")
STATED = {name: int(code) for name, code in re.findall(r"^    (\w+) = .*# (\d+)", SOURCE, re.MULTILINE)}


@pytest.mark.parametrize("reject", Reject, ids=lambda reject: reject.name)
def test_every_refusal_has_a_code(reject: Reject):
    """2.8: the server finds a code by the refusal's name, and it is the one its comment states."""
    assert Code[reject.name] == STATED.get(reject.name, Code[reject.name])


def test_texts_are_distinct():
    """Two refusals with one text would be one member."""
    assert len(Reject.__members__) == len(Reject)
