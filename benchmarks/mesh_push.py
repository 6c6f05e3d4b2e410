"""Time from ``apply`` until proxies have, and real Envoys follow, the new routes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread

import httpx
from rich.progress import track

from benchmarks import mesh_local
from benchmarks.mesh_snapshots import text
from benchmarks.serving import Server

QUIET_S = 2.0
"""No proxy got anything for so long: all have what there is."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Seconds from a change to each proxy, and to the last proxy, over all changes."""

    each_s: list[float]
    last_s: list[float]


def simulated(proxies: int, services: int, changes: int, folder: Path) -> Pushed:
    """Changes of one VirtualService, one after the other, each until all proxies have it."""
    folder.mkdir()
    environment = {"VIGLA_MESH__ENABLED": "true"}
    with (
        Server(folder / "lake", environment) as server,
        httpx.Client(base_url=_api(server), timeout=60) as api,
    ):
        _apply(api, "".join(text(n) for n in range(services)))
        with _simulated(f"127.0.0.1:{server.ports.xds}", proxies) as arrivals:
            _settled(arrivals, proxies)
            pushed = Pushed([], [])
            for number in track(range(changes), f"{proxies} proxies"):
                began = time.monotonic()
                _apply(api, text(number % services, 6 + number))
                got = [arrivals.get(timeout=60) - began for _ in range(proxies)]
                pushed.each_s.extend(got)
                pushed.last_s.append(max(got))
    return pushed


def real(changes: int, folder: Path) -> list[float]:
    """The same with two Envoys: until a request through the client's is answered by the new rule."""
    found = []
    with mesh_local.running(folder) as mesh, httpx.Client(proxy=mesh.proxy) as client:
        for number in track(range(changes), "real Envoys"):
            answer = f"{{status: 200, body: {{string: 'answer {number}'}}}}"
            rule = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: app}\n"
            rule += f"spec: {{hosts: [app], http: [{{directResponse: {answer}}}]}}\n"
            with httpx.Client(base_url=mesh.api) as api:
                began = time.monotonic()
                _apply(api, rule)
            while client.get(mesh_local.URL).text != f"answer {number}":
                pass
            found.append(time.monotonic() - began)
    return found


def _api(server: Server) -> str:
    return f"{server.query_url}/api/vigla/v1"


def _apply(api: httpx.Client, objects: str) -> None:
    api.post("/mesh/apply", content=objects).raise_for_status()


@contextmanager
def _simulated(target: str, count: int) -> "Iterator[Queue[float]]":
    """Times at which proxies got routes."""
    command = [sys.executable, "-m", "benchmarks.mesh_proxies", target, str(count)]
    arrivals: Queue[float] = Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            Thread(target=_read, args=(process, arrivals), daemon=True).start()
            yield arrivals
        finally:
            process.terminate()


def _read(process: "subprocess.Popen[str]", arrivals: "Queue[float]") -> None:
    for line in process.stdout or ():
        arrivals.put(json.loads(line)["at"])


def _settled(arrivals: "Queue[float]", proxies: int) -> None:
    """All have their first routes, and no more come."""
    for _ in range(proxies):
        arrivals.get(timeout=120)
    time.sleep(QUIET_S)
    while not arrivals.empty():
        arrivals.get()
