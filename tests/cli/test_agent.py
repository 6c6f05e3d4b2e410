"""``vigla agent`` as a process: why it refuses to start."""

import subprocess
import sys
from pathlib import Path

import pytest

FREE = [
    f"--{name}-port=0"
    for name in ("otlp-grpc", "otlp-http", "jaeger-compact", "jaeger-binary", "sampling", "health")
]


def refusal(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "vigla", "agent", f"--storage-path={folder / 'data'}", *FREE, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60, check=False)
    assert done.returncode == 2
    return done.stderr


def test_without_a_collector_it_says_what_to_set(tmp_path: Path) -> None:
    assert "agent.collector is not set" in refusal(tmp_path)


@pytest.mark.parametrize("address", ["collector:4318", "ftp://collector"])
def test_an_address_that_is_no_url_is_named(tmp_path: Path, address: str) -> None:
    assert f"agent.collector is '{address}'" in refusal(tmp_path, f"--collector={address}")


def test_positions_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    positions = tmp_path / "data" / "agent" / "positions"
    positions.mkdir(parents=True)
    (positions / "traces.json").write_text("{")
    text = refusal(tmp_path, "--collector=http://127.0.0.1:9")
    assert "traces.json, delete it to begin anew" in text.replace("\n", " ")
