"""Running a local mesh until it is told to stop: what ``vigla mesh up`` and the demo do."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from proxy.agent.settings import Address
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.local.mesh import LocalMesh, Surroundings
from proxy.local.workloads import Block, LocalWorkload, local_workloads
from vigla.errors import SettingsError

READY_S = 60.0
WATCH_S = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs, and among what."""

    workloads: tuple[LocalWorkload, ...]
    surroundings: Surroundings
    folder: Path
    block: Block

    @classmethod
    def of(
        cls, texts: Iterable[tuple[str, str]], namespace: str, pilot: str, collector: str, folder: Path
    ) -> "Plan":
        """The plan for the Deployments in some YAML texts.

        Raises:
            SettingsError: there is nothing to run, or an address is none.
        """
        objects = [o for name, text in texts for o in parse(text, name, namespace).objects]
        block = Block()
        workloads = local_workloads(Collection.of(objects), block)
        if not workloads:
            block.close()
            raise SettingsError("no Deployment has a container with a command: there is nothing to run")
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector}",
            "PYTHONUNBUFFERED": "1",
        }
        surroundings = Surroundings(
            address_of(pilot, "--pilot"), address_of(collector, "--collector"), "cluster.local", environment
        )
        return cls(workloads, surroundings, folder, block)


async def run(plan: Plan, told: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT.

    Args:
        plan: what runs.
        told: called with each step that is done.

    Raises:
        ViglaError: an Envoy did not come up, or an application ended.
    """
    stopping = stop_asked()
    mesh = LocalMesh(plan.workloads, plan.surroundings, plan.folder)
    try:
        await mesh.start()
        told(f"{len(plan.workloads)} workloads started")
        await mesh.ready(READY_S)
        told("every Envoy has its configuration")
        while not stopping.is_set():
            mesh.check()
            try:
                await asyncio.wait_for(stopping.wait(), WATCH_S)
            except TimeoutError:
                continue
    finally:
        await mesh.stop()
        plan.block.close()


def stop_asked() -> asyncio.Event:
    """Set when SIGTERM, SIGINT or SIGHUP comes."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def address_of(text: str, what: str) -> Address:
    """``host:port`` as an address.

    Raises:
        SettingsError: it has another form; ``what`` names it.
    """
    parts = urlsplit(f"//{text}")
    if not parts.hostname or not parts.port:
        raise SettingsError(f"{what} {text!r}: write host:port")
    return Address(parts.hostname, parts.port)
