"""Parquet files, a few rows at a time; the library that reads them is an extra and comes late."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lighterman.domain.errors import ConfigError

ROWS_AT_ONCE = 512


def parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a file as tuples of these columns.

    Raises ConfigError when the library, the file or a column is missing.
    """
    try:
        import pyarrow.parquet  # noqa: PLC0415  (heavy, and an extra)
    except ImportError:
        raise ConfigError([f"tape: {path.name} is Parquet: reading it needs the extra lighterman[tape]"]) from None
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise ConfigError([f"tape: {path} cannot be read: {error}"]) from None
    missing = [column for column in columns if column not in file.schema_arrow.names]
    if missing:
        raise ConfigError([f"tape: {path} has no column {', '.join(missing)}"])
    return _rows(path, file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(columns)), columns)


def _rows(path: Path, batches: Iterable[Any], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    try:
        for batch in batches:
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    except (OSError, ValueError) as error:  # what pyarrow raises for a damaged file
        raise ConfigError([f"tape: {path} cannot be read: {error}"]) from None
