"""Access logs in the lake: files, merging, retention, recovery."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from tests.contracts.rows import START_NS, access_logs, numbered, upto
from tests.storage.lakes import maintenance, on_disk, opened
from vigla.clock import FakeClock
from vigla.model.partitions import Partition
from vigla.storage.api import QueryContext
from vigla.storage.lake import Lake
from vigla.storage.merge import FAN_IN

HOUR_NS = 3600 * 10**9


def request_ids(lake: Lake) -> list[str]:
    logs = lake.tables.access_logs
    answer = lake.select(sa.select(logs.c.request_id).order_by(logs.c.request_id), QueryContext())
    return [str(value) for value in answer.column(0).to_pylist()]


def flush_each(lake: Lake, count: int) -> list[str]:
    for n in range(count):
        services = [{"service": f"s{(n + k) % 3}", "ts": START_NS + 10 * n + k} for k in range(4)]
        rows = access_logs(*({"request_id": f"{n}-{k}"} | row for k, row in enumerate(services)))
        lake.buffer({"access_logs": rows}, upto(lake, access_logs=n + 1))
        lake.flush()
    return sorted(f"{n}-{k}" for n in range(count) for k in range(4))


def test_small_files_become_one_by_service_and_time(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        expected = flush_each(lake, FAN_IN)
        maintenance(lake).run_once()
        assert request_ids(lake) == expected
        (file,) = lake.commits.files("access_logs")
        rows = pq.read_table(file.path, columns=["service", "ts"]).to_pylist()
        assert rows == sorted(rows, key=lambda row: (row["service"], row["ts"]))
        with lake.commits.autocommit() as cursor:
            probe = "SELECT bloom_filter_excludes FROM parquet_bloom_probe(?, 'request_id', ?)"
            assert cursor.execute(probe, [str(file.path), "absent"]).fetchall() == [(True,)]
            assert cursor.execute(probe, [str(file.path), "3-1"]).fetchall() == [(False,)]


def test_rows_and_offset_are_there_after_opening_again(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        expected = flush_each(lake, 2)
        lake.buffer({"access_logs": access_logs({"request_id": "lost"})}, upto(lake, access_logs=9))
    orphan = tmp_path / "lake" / "main" / "access_logs" / "orphan.parquet"
    pq.write_table(pa.table({"ts": [1]}), orphan)
    with opened(tmp_path) as lake:
        assert request_ids(lake) == expected
        assert lake.committed(Partition("access_logs")) == 2
        assert orphan not in on_disk(tmp_path, "access_logs")


def test_retention_by_age_without_any_spans(tmp_path: Path) -> None:
    clock = FakeClock(START_NS + 10 * HOUR_NS)
    with opened(tmp_path, clock=clock) as lake:
        rows = access_logs(
            {"request_id": "old", "ts": START_NS}, {"request_id": "new", "ts": START_NS + 9 * HOUR_NS}
        )
        lake.buffer({"access_logs": rows}, {})
        lake.flush()
        maintenance(lake, clock, retention_hours=5).run_once()
        assert request_ids(lake) == ["new"]


def test_retention_by_size_drops_the_oldest_of_both_tables(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        lake.buffer({"access_logs": access_logs({"request_id": "old", "ts": START_NS})}, {})
        lake.flush()
        lake.buffer({"spans": numbered(0, 3, ts=START_NS + HOUR_NS)}, {})
        lake.flush()
        stored = sum(f.size for t in ("spans", "access_logs") for f in lake.commits.files(t))
        maintenance(lake, retention_bytes=stored - 1).run_once()
        assert request_ids(lake) == []
        assert sum(file.rows for file in lake.commits.files("spans")) == 3
