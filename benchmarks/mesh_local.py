"""A mesh of a client and an application, each behind its Envoy, as a benchmark needs it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from benchmarks.serving import Server

URL = "http://app:8000/"
START_S = 60.0
PYTHON = "$(PYTHON)"


@dataclass(frozen=True, slots=True)
class Mesh:
    """Where things are.

    Attributes:
        api: of vigla.
        proxy: of the client's Envoy, as an HTTP proxy.
        application: of the application itself, without any proxy.
    """

    api: str
    proxy: str
    application: str


def _service(name: str) -> dict[str, object]:
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 8000, "targetPort": 8000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _deployment(name: str, report: Path) -> dict[str, object]:
    labels = {"app": name}
    container = {
        "name": name,
        "command": [PYTHON, "-m", "benchmarks.mesh_app", str(report)],
        "ports": [{"name": "http", "containerPort": 8000}],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@contextmanager
def running(folder: Path) -> Iterator[Mesh]:
    """Start vigla, both applications and their Envoys; ready when a request went through."""
    files, logs = folder / "mesh", folder / "logs"
    files.mkdir(parents=True)
    reports = {name: folder / f"{name}.json" for name in ("client", "app")}
    objects = [o for name, report in reports.items() for o in (_service(name), _deployment(name, report))]
    (files / "mesh.yaml").write_text(yaml.safe_dump_all(objects))
    with Server(folder / "lake", {"VIGLA_MESH__ENABLED": "true"}) as server:
        command = [
            *(sys.executable, "-m", "vigla", "mesh", "up"),
            *(f"--file={files}", f"--url={server.query_url}", f"--pilot=127.0.0.1:{server.ports.xds}"),
            *(f"--collector={server.grpc_target}", f"--logs={logs}"),
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                said = {name: _said(report) for name, report in reports.items()}
                app = said["app"]
                proxy = said["client"]["http_proxy"]
                _reached(proxy)
                yield Mesh(f"{server.query_url}/api/vigla/v1", proxy, f"http://{app['HOST']}:{app['PORT']}/")
            finally:
                process.terminate()


def _said(report: Path) -> dict[str, str]:
    """The environment that an application was started with."""
    over = time.monotonic() + START_S
    while time.monotonic() < over:
        if report.exists():
            made: dict[str, str] = json.loads(report.read_text())
            return made
        time.sleep(0.05)
    raise TimeoutError(f"{report.stem} did not start")


def _reached(proxy: str) -> None:
    over = time.monotonic() + START_S
    with httpx.Client(proxy=proxy) as client:
        while time.monotonic() < over:
            try:
                if client.get(URL).is_success:
                    return
            except httpx.TransportError:
                pass  # its Envoy does not listen yet
            time.sleep(0.1)
    raise TimeoutError("no request came through")
