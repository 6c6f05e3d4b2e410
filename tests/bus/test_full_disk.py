"""Writes that the system refuses: the group is refused, nothing of it is kept, and it goes on later."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vigla.bus.local import LocalBus
from vigla.errors import Overloaded
from vigla.model.partitions import Partition

OpenBus = Callable[..., LocalBus]
MIB = 2**20
TRACES = Partition("traces")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "vigla-test", str(disk)]
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this environment forbids mounting: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _offsets(bus: LocalBus) -> list[int]:
    found: list[int] = []
    while records := bus.poll("traces", {TRACES: len(found)}, max_bytes=MIB, timeout_s=0):
        assert all(record.payload == _payload(record.offset) for record in records)
        found += [record.offset for record in records]
    return found


def _payload(n: int) -> bytes:
    return b"%06d" % n * 2000


async def _fill(bus: LocalBus, first: int = 0) -> int:
    """Append until refused; gives the number of records."""
    n = first
    while True:
        try:
            assert await bus.append("traces", _payload(n)) == n
        except Overloaded:
            return n
        n += 1


@pytest.mark.parametrize("segment_bytes", [100_000, 64 * MIB])
async def test_refuses_until_there_is_room(open_bus: OpenBus, small_disk: Path, segment_bytes: int) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(MIB))
    bus = open_bus(small_disk / "bus", segment_bytes=segment_bytes)
    full = await _fill(bus)
    assert full > 10
    assert await _fill(bus, full) == full
    ballast.unlink()
    more = await _fill(bus, full)
    assert more > full + 10
    assert _offsets(bus) == list(range(more))
    assert _offsets(open_bus(small_disk / "bus")) == list(range(more))


async def test_whole_group_is_refused(open_bus: OpenBus, small_disk: Path) -> None:
    bus = open_bus(small_disk / "bus")
    blocks = [bytes(MIB) for _ in range(4)]
    outcomes = await asyncio.gather(*(bus.append("traces", b) for b in blocks), return_exceptions=True)
    accepted = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert all(isinstance(outcome, (int, Overloaded)) for outcome in outcomes)
    assert len(accepted) < 3
    assert await bus.append("traces", b"small") == len(accepted)


async def test_committing_makes_room(open_bus: OpenBus, small_disk: Path) -> None:
    bus = open_bus(small_disk / "bus", segment_bytes=100_000)
    full = await _fill(bus)
    bus.commit(TRACES, full)
    assert await _fill(bus, full) > full


async def test_reserve_of_disk_space(open_bus: OpenBus, tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    bus = open_bus(min_free_bytes=2 * disk.f_blocks * disk.f_frsize)
    with pytest.raises(Overloaded, match="min_free_bytes") as refusal:
        await bus.append("traces", b"x")
    assert refusal.value.retry_after_s >= 1
    assert bus.end(TRACES) == 0


LIMITED = """
import asyncio, json, resource, sys
from pathlib import Path
from vigla.bus.local import LocalBus
from vigla.errors import Overloaded
from vigla.settings import BusSettings
from vigla.telemetry.metrics import Metrics

async def main():
    bus = LocalBus(Path(sys.argv[1]), BusSettings(min_free_bytes=0), Metrics())
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
    outcomes = []
    for payload in (bytes(40_000), bytes(20_000), bytes(60_000), b"fits"):
        try:
            outcomes.append(await bus.append("traces", payload))
        except Overloaded as error:
            outcomes.append(str(error))
    bus.close()
    print(json.dumps(outcomes))

asyncio.run(main())
"""


def test_partial_write_is_taken_back(open_bus: OpenBus, tmp_path: Path) -> None:
    """A limit on the size of files makes the kernel write a part and then refuse, without root."""
    run = [sys.executable, "-c", LIMITED, str(tmp_path / "bus")]
    outcomes = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    assert outcomes[0] == 0
    assert outcomes[3] == 1
    assert all("cannot write" in refusal for refusal in outcomes[1:3])
    bus = open_bus()
    records = bus.poll("traces", {TRACES: 0}, max_bytes=MIB, timeout_s=0)
    assert [len(record.payload) for record in records] == [40_000]
    assert [r.payload for r in bus.poll("traces", {TRACES: 1}, max_bytes=MIB, timeout_s=0)] == [b"fits"]
