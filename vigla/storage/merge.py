"""Merges small files: fewer to open, sorted so that a search reads few row groups, and smaller.

Not DuckLake's own merge: its writer gives a Bloom filter only to columns with a dictionary, knows no encoding
by column, and took 2.5 times the CPU.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from vigla.errors import StorageUnavailable
from vigla.storage.columns import ROW_GROUP_ROWS, SAMPLE_ROW_GROUP_ROWS, conform, write_sorted
from vigla.storage.commits import Commits
from vigla.storage.failures import of_write
from vigla.storage.inventory import DataFile
from vigla.storage.statements import compiled

TARGET_ROWS = 10 * ROW_GROUP_ROWS
SAMPLE_TARGET_ROWS = 150 * SAMPLE_ROW_GROUP_ROWS  # six hours of 2,000 series every 15 s
TARGET_BYTES = 256 * 1024 * 1024  # uncompressed: what a merge holds in memory, and once more while it sorts
FAN_IN = 8  # a row is written log8(TARGET_ROWS / rows of a flush) times more


def plan(
    files: Iterable[DataFile], weigh: Callable[[DataFile], int], target: int = TARGET_ROWS
) -> list[list[DataFile]]:
    """Groups of files to merge into one each.

    Files of similar size go together, so that rows are not written again and again: a group is full, or has
    ``FAN_IN`` files. Files with deletions are left alone, as retention is about to remove the rest of them.

    Args:
        files: of one table, in the order of their time.
        weigh: bytes of a file's rows in memory.
        target: rows of a full file.
    """
    tiers: dict[int, list[tuple[DataFile, int]]] = {}
    for file in files:
        if file.deletions or 2 * file.rows > target:
            continue
        weight = weigh(file)
        if 2 * weight <= TARGET_BYTES:
            tiers.setdefault(int(math.log(max(file.rows, 1), FAN_IN)), []).append((file, weight))
    return [group for tier in sorted(tiers) for group in _groups(tiers[tier], target)]


def weight(file: DataFile) -> int:
    """Bytes of a file's rows in memory, from its footer. Text that repeats can compress a thousandfold."""
    footer = pq.read_metadata(file.path)
    return sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))


def _groups(tier: Sequence[tuple[DataFile, int]], target: int) -> Iterator[list[DataFile]]:
    group: list[DataFile] = []
    rows = held = 0
    for file, weight in tier:
        full = rows + file.rows > target or held + weight > TARGET_BYTES
        if full or len(group) == FAN_IN:
            if len(group) > 1:
                yield group
            group, rows, held = [], 0, 0
        group.append(file)
        rows, held = rows + file.rows, held + weight
    if len(group) == FAN_IN:
        yield group


def merge(commits: Commits, table: str, schema: pa.Schema, group: Sequence[DataFile]) -> None:
    """Replace files by one with the same rows, sorted.

    Readers see either the old files or the new one. Killed at any point, the old ones still stand.

    Raises:
        StorageUnavailable: nothing was changed.
    """
    path = commits.new_path(table)
    with of_write("merge files"), commits.removing_on_failure({table: path}):
        rows = _read(schema, group)
        write_sorted(path, rows)
        with commits.transaction() as cursor:
            deleted = cursor.execute(*compiled(dropping(table, group))).fetchall()[0][0]
            if deleted != rows.num_rows:
                raise StorageUnavailable(
                    f"merge of {table}: {rows.num_rows} rows were read and {deleted} removed"
                )
            commits.add(cursor, table, path)


def rewrite(commits: Commits, table: str, schema: pa.Schema, file: DataFile) -> None:
    """Write a file anew without its deleted rows.

    Raises:
        StorageUnavailable: nothing was changed.
    """
    path = commits.new_path(table)
    with (
        of_write("rewrite a file"),
        commits.removing_on_failure({table: path}),
        commits.transaction() as cursor,
    ):
        rows = conform(cursor.execute(*compiled(_remaining(table, file))).to_arrow_table(), schema)
        if rows.num_rows:
            write_sorted(path, rows)
        cursor.execute(*compiled(dropping(table, [file]))).fetchall()
        if rows.num_rows:
            commits.add(cursor, table, path)


def _remaining(table: str, file: DataFile) -> sa.Select[Any]:
    filename: sa.ColumnClause[str] = sa.column("filename")
    source = sa.table(table, filename, schema="lake.main")
    return sa.select(sa.text("*")).select_from(source).where(filename == str(file.path))


def dropping(table: str, group: Sequence[DataFile]) -> sa.Delete:
    """Deletes all rows of these files: DuckLake prunes by ``filename`` and drops them without a look."""
    filename: sa.ColumnClause[str] = sa.column("filename")
    names = [str(file.path) for file in group]
    return sa.delete(sa.table(table, filename, schema="lake.main")).where(filename.in_(names))


def _read(schema: pa.Schema, group: Sequence[DataFile]) -> pa.Table:
    return pa.concat_tables([_read_file(schema, file.path) for file in group])


def _read_file(schema: pa.Schema, path: Path) -> pa.Table:
    footer = pq.read_metadata(path)
    present = set(footer.schema.to_arrow_schema().names)
    coded = [field.name for field in schema if pa.types.is_dictionary(field.type) and field.name in present]
    rows = pq.ParquetFile(path, metadata=footer, read_dictionary=coded).read(use_threads=False)
    return conform(rows, schema)
