"""What only a lake on disk can do: outlive its process, grow columns, be held, fill its disk."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contracts.rows import numbered, spans, summaries, upto
from tests.storage.lakes import maintenance, on_disk, opened, span_ids
from vigla.errors import Fenced, SettingsError, StorageUnavailable
from vigla.model.partitions import Partition, Reach
from vigla.model.spans import DEFAULT_PROMOTED, Promoted
from vigla.storage import offsets
from vigla.storage.api import QueryContext


def test_flushed_rows_and_offsets_outlive_the_process(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        lake.buffer({"spans": numbered(0, 20), "traces": summaries({"trace_id": "a"})}, upto(lake, traces=3))
        lake.flush()
        lake.buffer({"spans": numbered(20, 5)}, upto(lake, traces=4))
        lake.archive(numbered(0, 3))
    with opened(tmp_path) as lake:
        assert span_ids(lake) == list(range(20))
        assert lake.committed(Partition("traces")) == 3
        assert span_ids(lake, "archived_spans") == [0, 1, 2]


def test_a_moved_directory_opens(tmp_path: Path) -> None:
    with opened(tmp_path / "here") as lake:
        lake.buffer({"spans": numbered(0, 20)}, upto(lake, traces=3))
        lake.flush()
    shutil.move(tmp_path / "here", tmp_path / "it's there")
    with opened(tmp_path / "it's there") as lake:
        assert span_ids(lake) == list(range(20))


def test_an_attribute_promoted_later_is_found_in_old_and_new_files(tmp_path: Path) -> None:
    key = 'user."id"'
    with opened(tmp_path) as lake:
        lake.buffer({"spans": spans({"span_id": 1, "attrs": '{"user.\\"id\\"":"joe"}'})}, {})
        lake.flush()
    promoted = (*DEFAULT_PROMOTED, Promoted(key), Promoted("n", "int"))
    with opened(tmp_path, promoted) as lake:
        lake.buffer({"spans": spans({"span_id": 2, f"a.{key}": "joe", "a.n": 7}, promoted=promoted)}, {})
        lake.flush()
        lake.buffer({"spans": spans({"span_id": 3, f"a.{key}": "ann"}, promoted=promoted)}, {})
        table = lake.tables.spans
        value = sa.select(lake.tables.attribute(table, key)).order_by(table.c.span_id)
        assert lake.select(value, QueryContext()).column(0).to_pylist() == ["joe", "joe", "ann"]
        equal = sa.select(table.c.span_id).where(lake.tables.attribute_equals(table, key, "joe"))
        assert sorted(lake.select(equal, QueryContext()).column(0).to_pylist()) == [1, 2]


def test_an_attribute_no_longer_promoted_keeps_its_column(tmp_path: Path) -> None:
    extra = Promoted("user.id")
    with opened(tmp_path, (*DEFAULT_PROMOTED, extra)) as lake:
        rows = spans({"span_id": 1, "a.user.id": "joe"}, promoted=(*DEFAULT_PROMOTED, extra))
        lake.buffer({"spans": rows}, {})
        lake.flush()
    with opened(tmp_path) as lake:
        assert extra in lake.promoted
        column = sa.select(lake.tables.spans.c["a.user.id"])
        assert lake.select(column, QueryContext()).column(0).to_pylist() == ["joe"]


def test_an_attribute_cannot_change_its_type(tmp_path: Path) -> None:
    with opened(tmp_path, (Promoted("k"),)):
        pass
    with (
        pytest.raises(SettingsError, match=r"k is kept as string .* become int"),
        opened(tmp_path, (Promoted("k", "int"),)),
    ):
        pass
    with opened(tmp_path, (Promoted("k"),)):
        pass  # the refused one did not keep the catalog


def test_staged_files_without_commit_are_removed_at_open(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        lake.buffer({"spans": numbered(0, 20)}, upto(lake, traces=3))
        lake.flush()
        committed = on_disk(tmp_path)
        shutil.copy(next(iter(committed)), next(iter(committed)).with_name("orphan.parquet"))
    with opened(tmp_path) as lake:
        assert on_disk(tmp_path) == committed
        assert span_ids(lake) == list(range(20))


HOLD = """
import sys
from pathlib import Path
from tests.storage.lakes import opened
with opened(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_catalog_held_by_another_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StorageUnavailable, match="held by another process"), opened(tmp_path):
            pass
    finally:
        holder.communicate(b"")
    with opened(tmp_path) as lake:
        assert span_ids(lake) == []


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match=r"storage\.path"), opened(tmp_path / "file" / "lake"):
        pass


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Writes beyond this size fail with EFBIG, as those on a full disk fail with ENOSPC."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_flush_that_cannot_be_written_keeps_its_rows(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        lake.buffer({"spans": numbered(0, 500)}, upto(lake, traces=3))
        with file_size_limit(2_000), pytest.raises(StorageUnavailable):
            lake.flush()
        assert on_disk(tmp_path) == set()
        assert lake.committed(Partition("traces")) == 0
        lake.buffer({"spans": numbered(500, 10)}, upto(lake, traces=4))
        assert span_ids(lake) == list(range(510))
        assert lake.flush() == 510
        assert lake.flush() == 0
        assert span_ids(lake) == list(range(510))
        assert lake.committed(Partition("traces")) == 4


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "vigla-test", str(disk)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this environment forbids mounting")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_recovered_from(small_disk: Path) -> None:
    with opened(small_disk / "lake") as lake:
        lake.buffer({"spans": numbered(0, 20)}, upto(lake, traces=1))
        lake.flush()
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))
        lake.buffer({"spans": numbered(20, 20)}, upto(lake, traces=2))
        for _ in range(3):
            with pytest.raises(StorageUnavailable, match="full"):
                lake.flush()
        with pytest.raises(StorageUnavailable):
            lake.archive(numbered(0, 5))
        assert span_ids(lake) == list(range(40))
        ballast.unlink()
        assert lake.flush() == 20
        assert span_ids(lake) == list(range(40))
    with opened(small_disk / "lake") as lake:
        assert span_ids(lake) == list(range(40))
        assert lake.committed(Partition("traces")) == 2


def test_what_another_writer_wrote_meanwhile_is_not_written_again(tmp_path: Path) -> None:
    """After a pause past the session the partition's next owner has written before it flushes."""
    with opened(tmp_path) as lake:
        kept, lost = Partition("traces"), Partition("traces", 1)
        lake.buffer({"spans": numbered(0, 10)}, {kept: Reach(0, 5), lost: Reach(0, 5)})
        with lake.commits.transaction() as cursor:
            offsets.advance(cursor, {lost: Reach(0, 3)})
        with pytest.raises(Fenced, match="traces/1"):
            lake.flush()
        lake.drop()
        assert (span_ids(lake), lake.buffered_rows()) == ([], 0)
        assert (lake.position(kept), lake.position(lost)) == (0, 3)
        lake.buffer({"spans": numbered(3, 7)}, {kept: Reach(0, 5), lost: Reach(3, 5)})
        lake.flush()
        assert span_ids(lake) == list(range(3, 10))
        assert len(on_disk(tmp_path)) == 1


def test_offsets_of_before_there_were_partitions_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        with lake.commits.transaction() as cursor:
            cursor.execute("ALTER TABLE lake.main.offsets DROP COLUMN partition")
            cursor.execute("DELETE FROM lake.main.migrations WHERE name LIKE '0005%'")
        with lake.commits.transaction() as cursor:
            cursor.execute("INSERT INTO lake.main.offsets VALUES ('traces', 7)")
    with opened(tmp_path) as lake:
        assert lake.position(Partition("traces")) == 7
        lake.buffer({"spans": numbered(0, 5)}, upto(lake, traces=9))
        lake.flush()
        maintenance(lake).run_once()
    with opened(tmp_path) as lake:
        assert lake.position(Partition("traces")) == 9
