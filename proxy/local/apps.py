"""The applications of a local mesh: one process each."""

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from proxy.local.workloads import LocalWorkload
from vigla.listen import reserve
from vigla.tether import tethered

HOST = "127.0.0.1"
STOP_S = 5.0
_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


@dataclass(frozen=True, slots=True)
class Placed:
    """A workload with the ports that its application listens on.

    Attributes:
        host: where the application listens: behind a sidecar on 127.0.0.1, alone at the workload's address.
        ports: of the application by the port that callers use.
        http_proxy: where the sidecar takes the application's calls; 0: there is none.
        admin: port of Envoy's admin interface, on 127.0.0.1.
    """

    workload: LocalWorkload
    host: str
    ports: Mapping[int, int]
    http_proxy: int
    admin: int


def placed(workloads: tuple[LocalWorkload, ...]) -> tuple[Placed, ...]:
    """Choose free ports for all applications at once, so that none is given twice."""
    with ExitStack() as held:
        return tuple(_place(workload, held) for workload in workloads)


def _place(workload: LocalWorkload, held: ExitStack) -> Placed:
    if not workload.sidecar:
        return Placed(workload, workload.address, {p.port: p.port for p in workload.ports}, 0, 0)
    ports = {p.port: _free(HOST, held) for p in workload.ports}
    http_proxy = 0 if workload.gateway else _free(workload.bind, held)
    return Placed(workload, HOST, ports, http_proxy, _free(HOST, held))


def _free(host: str, held: ExitStack) -> int:
    listener = held.enter_context(reserve(host))
    port: int = listener.getsockname()[1]
    return port


class App:
    """One application's process."""

    def __init__(self, place: Placed, log: Path, environment: Mapping[str, str]) -> None:
        """Prepare.

        Args:
            place: what runs where.
            log: gets its output.
            environment: added to this process's own, and to what the Deployment says.
        """
        self.place = place
        self._log = log
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it is not waited for."""
        environment = {**os.environ, **self._own(), **self._environment}
        environment |= {k: _expanded(v, environment) for k, v in self.place.workload.environment.items()}
        command = [_expanded(part, environment) for part in self.place.workload.command]
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us: we stop it
            )

    @property
    def ended(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.returncode if self._process else None

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _own(self) -> dict[str, str]:
        """What an application behind a sidecar needs to know."""
        place = self.place
        made = {"HOST": place.host, "PYTHON": sys.executable}
        made |= {f"PORT_{port}": str(app) for port, app in place.ports.items()}
        if place.ports:
            made["PORT"] = str(next(iter(place.ports.values())))
        if place.http_proxy:
            made["http_proxy"] = f"http://{place.workload.bind}:{place.http_proxy}"
            made["no_proxy"] = "127.0.0.1,localhost"  # the collector is not called through the mesh
            made["MESH_ADDRESS"] = place.workload.bind
        return made


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    """``$(NAME)`` as Kubernetes expands it: unknown names stay."""
    return _VARIABLE.sub(lambda found: environment.get(found[1], found[0]), text)
