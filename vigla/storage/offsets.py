"""How far each partition of the bus is in the lake, kept in the transaction that adds the rows.

Rows are appended, never updated, and the newest counts. That a writer finds the newest row where its own rows
begin is what keeps rows from standing twice: an ingester that was paused while another took its partitions
over finds it further on. The check holds because transactions that write offsets follow one another (see
``vigla.storage.commits``); a catalog of several processes has to see to that among them.
"""

from collections.abc import Mapping

import duckdb

from vigla.errors import Fenced
from vigla.model.partitions import Partition, Reach

_APPEND = "INSERT INTO lake.main.offsets (topic, partition, next_offset) VALUES (?, ?, ?)"
_ALL = (
    "SELECT topic, coalesce(partition, 0), max(next_offset) FROM lake.main.offsets GROUP BY topic,"
    " coalesce(partition, 0)"
)
_TRIM = "DELETE FROM lake.main.offsets WHERE topic = ? AND coalesce(partition, 0) = ? AND next_offset < ?"


def newest(cursor: duckdb.DuckDBPyConnection) -> dict[Partition, int]:
    """The first offset of each partition that is not in the lake."""
    return {Partition(topic, number): offset for topic, number, offset in cursor.execute(_ALL).fetchall()}


def advance(cursor: duckdb.DuckDBPyConnection, reached: Mapping[Partition, Reach]) -> None:
    """Note in the cursor's transaction how far its rows reach.

    Raises:
        Fenced: another writer was there; the transaction must be rolled back and its rows dropped.
    """
    if not reached:
        return
    check(newest(cursor), reached)
    for partition, reach in reached.items():
        cursor.execute(_APPEND, [partition.topic, partition.number, reach.end])


def check(stored: Mapping[Partition, int], reached: Mapping[Partition, Reach]) -> None:
    """Raise Fenced unless every stretch begins where what is stored ends."""
    for partition, reach in reached.items():
        if (offset := stored.get(partition, 0)) != reach.start:
            raise Fenced(
                f"rows of {partition.topic}/{partition.number} begin at offset {reach.start},"
                f" but the lake ends at {offset}: another ingester wrote it"
            )


def trim(cursor: duckdb.DuckDBPyConnection) -> None:
    """Delete all but the newest row of each partition, in the cursor's transaction."""
    for partition, offset in newest(cursor).items():
        cursor.execute(_TRIM, [partition.topic, partition.number, offset])
