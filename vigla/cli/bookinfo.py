"""Bookinfo as child processes: vigla, a mesh of the services of ``examples/bookinfo``, and users."""

import ipaddress
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from vigla.errors import SettingsError, ViglaError
from vigla.tether import tethered

HOST = "127.0.0.1"
STANDARD_PORTS = {
    "http": 16686,
    "otlp_grpc": 4317,
    "otlp_http": 4318,
    "health": 13133,
    "xds": 15010,
    "ingress": 8080,
}
GATEWAY_FILES = ("gateways.yaml", "routing.yaml")
"""Files that name the ingress gateway's port."""
CATALOGUE = "127.30.0.1", 9090
"""Where catalogue.yaml says that the service outside the mesh listens."""
SERVICE_STOP_S = 5.0
VIGLA_STOP_S = 25.0
REQUEST_TIMEOUT_S = 5.0
LOG_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for everything that listens.

    Attributes:
        by_name: the keys of STANDARD_PORTS.
        moved: standard ports that were busy.
    """

    by_name: Mapping[str, int]
    moved: tuple[int, ...]

    @classmethod
    def choose(cls) -> "Ports":
        """Standard ports where they are free, any free ones elsewhere."""
        with ExitStack() as held:  # all at once, so that no port is given twice
            sockets = {name: held.enter_context(_listen(port)) for name, port in STANDARD_PORTS.items()}
            chosen = {name: listener.getsockname()[1] for name, listener in sockets.items()}
        return cls(chosen, tuple(p for name, p in STANDARD_PORTS.items() if chosen[name] != p))

    def url(self, name: str) -> str:
        """Where ``name`` answers."""
        return f"http://{HOST}:{self.by_name[name]}"


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError:
        return socket.create_server((HOST, 0))


class Bookinfo:
    """The processes. Start and stop from one thread."""

    def __init__(self, directory: Path, ports: Ports, rate: float) -> None:
        """Prepare; nothing runs yet.

        Args:
            directory: data and ``demo.log``, the output of every process.
            ports: from ``Ports.choose``.
            rate: pages opened a second.
        """
        self.ports = ports
        self._directory = directory
        self._log_path = directory / "demo.log"
        self._rate = rate
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start every process; none is waited for."""
        self._directory.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": _module_path(), "PYTHONUNBUFFERED": "1"}
        with self._log_path.open("ab") as output:
            for name, command in self._commands():
                self._processes[name] = subprocess.Popen(  # noqa: S603  our own command lines
                    tethered([sys.executable, "-m", *command]),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    start_new_session=True,  # Ctrl-C is for us: we stop them in order
                )

    def stop(self) -> None:
        """Stop traffic and services, so that their last spans are sent, then vigla."""
        vigla = self._processes.pop("vigla", None)
        _end(list(self._processes.values()), SERVICE_STOP_S)
        if vigla is not None:
            _end([vigla], VIGLA_STOP_S)

    def check(self) -> None:
        """Raise ViglaError, with what it wrote last, if a process ended by itself."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                lines = self._log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
                raise ViglaError(
                    "\n".join([f"{name} ended with {process.returncode}; the last lines are:", *lines])
                )

    def is_ready(self) -> bool:
        """Whether vigla accepts and answers."""
        return _answer(f"{self.ports.url('health')}/readyz") is not None

    def mesh_is_ready(self) -> bool:
        """Whether the product page can be opened through the ingress gateway."""
        return _answer(f"{self.ports.url('ingress')}/productpage") is not None

    def has_trace(self) -> bool:
        """Whether a trace of the product page is found by vigla's search."""
        answer = _answer(f"{self.ports.url('http')}/api/traces?service=productpage&limit=1&lookback=1h")
        return answer is not None and bool(answer.json()["data"])

    def _commands(self) -> Iterator[tuple[str, list[str]]]:
        ports, url = self.ports.by_name, self.ports.url
        mesh = write_mesh(self._directory / "mesh", ports["ingress"])
        yield "vigla", [
            "vigla", "serve", f"--storage-path={self._directory / 'data'}", f"--host={HOST}",
            f"--otlp-grpc-port={ports['otlp_grpc']}", f"--otlp-http-port={ports['otlp_http']}",
            f"--http-port={ports['http']}", f"--health-port={ports['health']}", f"--xds-port={ports['xds']}",
        ]  # fmt: skip
        yield "mesh", [
            "vigla", "mesh", "up", f"--file={mesh}", f"--url={url('http')}",
            f"--pilot={HOST}:{ports['xds']}", f"--collector={HOST}:{ports['otlp_grpc']}",
            f"--logs={self._directory / 'mesh-logs'}",
        ]  # fmt: skip
        yield "traffic", [
            "bookinfo", "traffic", f"--otlp={url('otlp_grpc')}", f"--productpage={url('ingress')}",
            f"--rate={self._rate}",
        ]  # fmt: skip


def write_mesh(folder: Path, ingress: int = STANDARD_PORTS["ingress"]) -> Path:
    """Bookinfo's YAML as this machine can run it now; the folder that it is in.

    Args:
        folder: is made.
        ingress: port of the ingress gateway.
    """
    folder.mkdir(exist_ok=True)
    catalogue = _free_address()
    for source in sorted((_examples() / "bookinfo" / "mesh").glob("*.yaml")):
        text = source.read_text(encoding="utf-8").replace(CATALOGUE[0], catalogue)
        if source.name in GATEWAY_FILES:
            text = text.replace(f" {STANDARD_PORTS['ingress']}", f" {ingress}")
        (folder / source.name).write_text(text, encoding="utf-8")
    return folder


def _free_address() -> str:
    """One for the catalogue: any of 127.30.*.1, so that demos that start at the same time differ too."""
    standard, port = CATALOGUE
    for number in random.sample(range(256), 256):
        address = str(ipaddress.IPv4Address(standard) + 256 * number)
        try:
            socket.create_server((address, port)).close()
        except OSError:
            continue
        return address
    raise SettingsError(f"{port} is busy at every address of the catalogue: stop other demos")


def _examples() -> Path:
    """Where ``bookinfo`` can be imported from: inside an installed vigla, or beside it in its repository."""
    package = Path(__file__).parents[1]
    for folder in (package / "examples", package.parent / "examples"):
        if (folder / "bookinfo" / "__main__.py").exists():
            return folder
    raise SettingsError(
        "this installation has no examples/bookinfo: install vigla from its wheel or its repository"
    )


def _module_path() -> str:
    return os.pathsep.join([str(_examples()), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)


def _answer(url: str) -> httpx.Response | None:
    try:
        response = httpx.get(url, timeout=REQUEST_TIMEOUT_S)
    except httpx.TransportError:
        return None
    return response if response.is_success else None


def _end(processes: list[subprocess.Popen[bytes]], within_s: float) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
