"""Parquet comes late, in small pieces, and says what is missing."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lighterman.domain.errors import ConfigError
from lighterman.simulator.tapes.parquet import ROWS_AT_ONCE, parquet_rows


@pytest.fixture
def table(tmp_path):
    """Return a file of two columns, longer than one piece."""
    path = tmp_path / "table.parquet"
    count = ROWS_AT_ONCE + 3
    pq.write_table(pa.table({"a": list(range(count)), "b": ["x"] * count}), path)
    return path


def test_rows_in_the_asked_order(table):
    """Rows come as tuples of the asked columns, all of them, in order."""
    rows = list(parquet_rows(table, ("b", "a")))

    assert len(rows) == ROWS_AT_ONCE + 3
    assert rows[0] == ("x", 0)
    assert rows[-1] == ("x", ROWS_AT_ONCE + 2)


def test_a_missing_column_is_named(table):
    """A file of another shape is refused with what it lacks."""
    with pytest.raises(ConfigError, match="has no column c, d"):
        parquet_rows(table, ("a", "c", "d"))


def test_the_extra_is_named(table, monkeypatch):
    """Without the library the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(ConfigError, match=r"needs the extra lighterman\[tape\]"):
        parquet_rows(table, ("a",))


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more"])
def test_something_else_is_refused(tmp_path, content):
    """A file that is no Parquet is refused when it is opened."""
    path = tmp_path / "table.parquet"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match="cannot be read"):
        parquet_rows(path, ("a",))
    with pytest.raises(ConfigError, match="cannot be read"):
        parquet_rows(tmp_path / "absent.parquet", ("a",))
