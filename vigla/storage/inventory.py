"""The Parquet files a table consists of now."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

# Column statistics are text in the catalog. Files without rows left have none.
_LIVE = """
SELECT file.path, file.record_count, file.file_size_bytes,
       epoch_ns(CAST(stats.min_value AS TIMESTAMP_NS)), epoch_ns(CAST(stats.max_value AS TIMESTAMP_NS)),
       EXISTS (
           FROM __ducklake_metadata_lake.ducklake_delete_file AS deletions
           WHERE deletions.data_file_id = file.data_file_id AND deletions.end_snapshot IS NULL
       )
FROM __ducklake_metadata_lake.ducklake_data_file AS file
JOIN __ducklake_metadata_lake.ducklake_table AS tab
  ON tab.table_id = file.table_id AND tab.end_snapshot IS NULL
JOIN __ducklake_metadata_lake.ducklake_column AS col
  ON col.table_id = file.table_id AND col.end_snapshot IS NULL AND col.column_name = 'ts'
JOIN __ducklake_metadata_lake.ducklake_file_column_stats AS stats
  ON stats.data_file_id = file.data_file_id AND stats.column_id = col.column_id
WHERE tab.table_name = ? AND file.end_snapshot IS NULL
ORDER BY 4
"""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a table.

    Attributes:
        path: absolute.
        rows: rows in the file, deleted ones included.
        size: bytes.
        min_ns: earliest ``ts``, Unix nanoseconds.
        max_ns: latest ``ts``.
        deletions: whether some rows are deleted.
    """

    path: Path
    rows: int
    size: int
    min_ns: int
    max_ns: int
    deletions: bool


def live_files(cursor: duckdb.DuckDBPyConnection, directory: Path, table: str) -> list[DataFile]:
    """The files of a table whose directory is ``directory / table``, earliest ``ts`` first."""
    rows = cursor.execute(_LIVE, [table]).fetchall()
    return [DataFile(directory / table / name, *rest) for name, *rest in rows]
