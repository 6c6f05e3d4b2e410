"""A ``vigla serve`` child process on free loopback ports, as tests and benchmarks start it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from vigla.listen import reserve

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0


class ServerFailed(Exception):
    """The child ended, or did not become ready; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the child listens."""

    otlp_grpc: int
    otlp_http: int
    query: int
    telemetry: int
    xds: int

    @classmethod
    def free(cls) -> Self:
        """Ports that were free a moment ago."""
        sockets = [reserve() for _ in range(5)]
        numbers = [s.getsockname()[1] for s in sockets]
        for s in sockets:
            s.close()
        return cls(*numbers)


VIGLA = (sys.executable, "-m", "vigla")


class Server:
    """One child. Use as a context manager, or ``start`` it, and ``stop`` or ``kill`` it.

    Args:
        directory: the lake; the child's log is ``server.log`` beside it.
        environment: settings as ``VIGLA_*`` variables.
        command: what to run in vigla's place; ``serve`` is appended.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = VIGLA,
    ) -> None:
        self.directory = directory
        self.log = directory.with_name(f"{directory.name}.log")
        self._environment = dict(environment or {})
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self.ports = Ports.free()

    @property
    def grpc_target(self) -> str:
        """OTLP over gRPC."""
        return f"127.0.0.1:{self.ports.otlp_grpc}"

    @property
    def otlp_url(self) -> str:
        """OTLP over HTTP, without a path."""
        return f"http://127.0.0.1:{self.ports.otlp_http}"

    @property
    def query_url(self) -> str:
        """HTTP APIs and UI."""
        return f"http://127.0.0.1:{self.ports.query}"

    @property
    def telemetry_url(self) -> str:
        """Health and own metrics."""
        return f"http://127.0.0.1:{self.ports.telemetry}"

    @property
    def pid(self) -> int:
        """Process id of the running child."""
        return self._running().pid

    def start(self) -> Self:
        """Start the child and wait until it is ready.

        Raises:
            ServerFailed: it ended early or took longer than ``START_TIMEOUT_S``.
        """
        self.launch()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.ready():
            if not self.alive():
                raise ServerFailed(f"exit status {self._running().returncode}\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"not ready after {START_TIMEOUT_S:.0f} s\n{self.log_tail()}")
            time.sleep(0.05)
        return self

    def restart(self, ports: Ports) -> None:
        """Start again on the ports it had, and wait until it is ready."""
        self.launch(ports)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.ready():
            if not self.alive() or time.monotonic() > deadline:
                raise ServerFailed(f"did not come back\n{self.log_tail()}")
            time.sleep(0.05)

    def launch(self, ports: Ports | None = None) -> None:
        """Start the child, on free ports if none are given, and return at once."""
        self.ports = ports or Ports.free()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("VIGLA_")}
        settings = {
            "VIGLA_COLLECTOR__OTLP_GRPC_PORT": str(self.ports.otlp_grpc),
            "VIGLA_COLLECTOR__OTLP_HTTP_PORT": str(self.ports.otlp_http),
            "VIGLA_QUERY__HTTP_PORT": str(self.ports.query),
            "VIGLA_TELEMETRY__PORT": str(self.ports.telemetry),
            "VIGLA_MESH__XDS_PORT": str(self.ports.xds),
            "VIGLA_STORAGE__PATH": str(self.directory),
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, "serve"],
                env={**inherited, **settings, **self._environment},
                cwd=self.directory.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ready(self) -> bool:
        """Whether ``/readyz`` answers 200."""
        try:
            return httpx.get(f"{self.telemetry_url}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def alive(self) -> bool:
        """Whether the child runs."""
        return self._running().poll() is None

    def stop(self) -> int:
        """End it as an operator does (SIGTERM) and return its exit status."""
        process = self._running()
        process.terminate()
        try:
            return process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"did not end within {STOP_TIMEOUT_S:.0f} s of SIGTERM") from None

    def kill(self) -> bool:
        """End it without warning; whether it still ran."""
        ran = self.alive()
        process = self._running()
        process.send_signal(signal.SIGKILL)
        process.wait()
        return ran

    def wait(self, timeout_s: float) -> int | None:
        """Exit status, or None if it still runs after ``timeout_s``."""
        try:
            return self._running().wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def log_tail(self, lines: int = 30) -> str:
        """The end of what it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.alive():
            self.stop() if kind is None else self.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerFailed("not started")
        return self._process
