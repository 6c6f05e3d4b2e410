"""What two sidecars add to a request: the same client and application, with and without them, in one run."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import mesh_local

CONNECTIONS = (1, 8)
"""One asks for the latency of an idle mesh, several for that of a busy one."""
WARM = 400
ROUNDS = 4
"""Both ways take turns, so that neither has the quieter machine."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of each request, and requests a second."""

    direct_s: list[float]
    meshed_s: list[float]
    direct_rate: float
    meshed_rate: float


def measure(requests: int, folder: Path) -> dict[int, Latency]:
    """So many requests on each way, by the number of connections."""
    with mesh_local.running(folder / "latency") as mesh:
        ways = (mesh.application, ""), (mesh.proxy, mesh_local.URL)
        for address, url in ways:
            asyncio.run(_load(address, url, WARM, max(CONNECTIONS)))
        return {connections: _measured(ways, requests, connections) for connections in CONNECTIONS}


def _measured(ways: tuple[tuple[str, str], ...], requests: int, connections: int) -> Latency:
    found: list[list[float]] = [[], []]
    spent = [0.0, 0.0]
    for _ in range(ROUNDS):
        for way, (address, url) in enumerate(ways):
            began = time.perf_counter()
            found[way] += asyncio.run(_load(address, url, requests // ROUNDS, connections))
            spent[way] += time.perf_counter() - began
    return Latency(found[0], found[1], len(found[0]) / spent[0], len(found[1]) / spent[1])


async def _load(address: str, url: str, requests: int, connections: int) -> list[float]:
    """Closed loop: each connection sends its next request when it has the answer."""
    parts = urlsplit(address)
    host = urlsplit(url).netloc or "app"
    request = f"GET {url or '/'} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()
    share = requests // connections
    lists = await asyncio.gather(
        *(_connection(parts.hostname or "", parts.port or 0, request, share) for _ in range(connections))
    )
    return [seconds for found in lists for seconds in found]


async def _connection(host: str, port: int, request: bytes, count: int) -> list[float]:
    reader, writer = await asyncio.open_connection(host, port)
    found = []
    for _ in range(count):
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(f"a request failed: {head.decode(errors='replace')}")
        await reader.readexactly(_length(head))
        found.append(time.perf_counter() - began)
    writer.close()
    return found


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError(f"no length: {head.decode(errors='replace')}")
