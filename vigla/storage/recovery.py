"""What is put right when a lake is opened after a crash."""

import logging
from pathlib import Path

import duckdb

log = logging.getLogger(__name__)

# Every file the catalog knows: live, kept for a snapshot, holding deletions, or waiting to be removed.
_KNOWN = """
SELECT path FROM __ducklake_metadata_lake.ducklake_data_file
UNION SELECT path FROM __ducklake_metadata_lake.ducklake_delete_file
UNION SELECT path FROM __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
"""


def remove_orphans(connection: duckdb.DuckDBPyConnection, directory: Path) -> int:
    """Remove files that were written and never committed; returns how many.

    Their rows are not lost: the bus offsets of a flush are committed with its files, so they are read again;
    a merge's rows are still in the files it read. Only for the owner of the catalog, before it writes.
    """
    known = {Path(path).name for (path,) in connection.execute(_KNOWN).fetchall()}
    orphans = [path for path in directory.rglob("*.parquet") if path.name not in known]
    for path in orphans:
        path.unlink()
    if orphans:
        log.info("removed %d files that were never committed", len(orphans))
    return len(orphans)
