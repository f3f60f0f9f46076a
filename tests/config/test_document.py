"""The documentation of the keys is the table of the keys."""

import subprocess
import sys

from lighterman.config.document import document
from lighterman.config.keys import KEYS


def test_the_page_is_up_to_date(repository):
    """docs/configuration.md is what the program says of itself."""
    made = subprocess.run(
        [sys.executable, "-m", "lighterman.config.document"], capture_output=True, text=True, check=True
    ).stdout

    assert (repository / "docs" / "configuration.md").read_text(encoding="utf-8") == made


def test_every_key_is_documented():
    """Each key has exactly one line, in the table of its section (defect F1)."""
    page = document(KEYS)
    for key in KEYS:
        section = page.partition(f"## `{key.section}`")[2].partition("\n## ")[0]
        lines = [line for line in section.splitlines() if line.startswith(f"| `{key.name}` |")]

        assert 1 == len(lines), key.path
        assert key.meaning in lines[0]


def test_each_line_has_four_cells():
    """No text of the table breaks its columns."""
    rows = [line for line in document(KEYS).splitlines() if line.startswith("| `")]

    assert len(KEYS) == len(rows)
    assert {5} == {row.count("|") for row in rows}
