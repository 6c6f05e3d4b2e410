"""A ``vigla agent`` child process, on the same ports after a restart."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from vigla.listen import reserve

WITHIN_S = 60.0
PORTS = (
    "COLLECTOR__OTLP_GRPC_PORT",
    "COLLECTOR__OTLP_HTTP_PORT",
    "TELEMETRY__PORT",
    "AGENT__JAEGER_COMPACT_PORT",
    "AGENT__JAEGER_BINARY_PORT",
    "AGENT__SAMPLING_PORT",
)


class AgentProcess:
    """Start it, ``kill`` it, ``start`` it again.

    Args:
        directory: of its spool; its log is beside it.
        collector: URL of the collector.
        settings: further ones, by section and name in upper case: ``AGENT__NODE``.
    """

    def __init__(self, directory: Path, collector: str, settings: Mapping[str, str]) -> None:
        sockets = [reserve() for _ in PORTS]
        self.ports = {name: s.getsockname()[1] for name, s in zip(PORTS, sockets, strict=True)}
        for s in sockets:
            s.close()
        given = {"AGENT__COLLECTOR": collector, "STORAGE__PATH": str(directory), **settings}
        mine = {f"VIGLA_{name}": str(value) for name, value in {**self.ports, **given}.items()}
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGLA_")} | mine
        self._log = directory.with_name(f"{directory.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        """Where a port answers."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vigla", "agent"], env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + WITHIN_S
        while not self._ready():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; gives the exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(WITHIN_S)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url('TELEMETRY__PORT')}/readyz").is_success
        except httpx.TransportError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
