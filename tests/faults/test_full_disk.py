"""A full disk: senders are refused, nothing acknowledged is lost, and it goes on once there is space."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from benchmarks.serving import Server
from benchmarks.tracegen import Generator
from tests.faults.ledger import Sender, assert_exactly_once

DISK_MIB = 48
BALLAST_MIB = 24
MIB = 2**20

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "vigla-test", str(disk)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this environment forbids mounting: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("min_free_mib", [0, 8], ids=["until a write fails", "until the reserve is reached"])
def test_refuses_when_full_and_recovers(tmp_path: Path, small_disk: Path, min_free_mib: int) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(BALLAST_MIB * MIB))
    environment = {
        "VIGLA_STORAGE__PATH": str(small_disk / "lake"),
        "VIGLA_BUS__MIN_FREE_BYTES": str(min_free_mib * MIB),
        "VIGLA_BUS__SEGMENT_BYTES": str(1 * MIB),
        "VIGLA_QUERY__SQL_MAX_ROWS": "10000000",
    }
    sender = Sender(1, traces=100)
    with Server(tmp_path / "server", environment) as server:
        sender.send_until(server.grpc_target, lambda: len(sender.ledger.refusals) >= 5)
        assert set(sender.ledger.refusals) == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        _assert_refused_over_http(server)
        assert server.alive()
        ballast.unlink()
        accepted = sender.ledger.spans()
        sender.send_until(server.grpc_target, lambda: sender.ledger.spans() >= accepted + 5000)
        assert_exactly_once(server, [sender])
    with Server(tmp_path / "server", environment) as again:
        assert_exactly_once(again, [sender])


def _assert_refused_over_http(server: Server) -> None:
    payload = Generator(payloads=1, traces=100, run=9).next(1).payload
    headers = {"content-type": "application/x-protobuf"}
    answer = httpx.post(f"{server.otlp_url}/v1/traces", content=payload, headers=headers)
    assert answer.status_code in {429, 503}
    assert int(answer.headers["retry-after"]) >= 1
