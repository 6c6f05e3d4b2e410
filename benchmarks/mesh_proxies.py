"""Simulated proxies: as many ADS streams (delta) as wanted, that subscribe and acknowledge as Envoy does.

``python -m benchmarks.mesh_proxies TARGET COUNT`` prints a line of JSON for each new route configuration that
a proxy got: its number and the monotonic time.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from proxy.envoy.messages import build, message_class
from proxy.xds.resources import CDS, EDS, LDS, RDS

METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
REQUEST = "envoy.service.discovery.v3.DeltaDiscoveryRequest"
RESPONSE = "envoy.service.discovery.v3.DeltaDiscoveryResponse"
LIMIT = [("grpc.max_receive_message_length", -1)]


async def proxy(target: str, number: int) -> None:
    """One proxy, until the stream ends."""
    outgoing: asyncio.Queue[bytes] = asyncio.Queue()
    for type_url in (CDS, LDS):
        outgoing.put_nowait(_request(number, type_url))
    async with grpc.aio.insecure_channel(target, options=LIMIT) as channel:
        stream = channel.stream_stream(METHOD)(_sent(outgoing))
        known: dict[str, set[str]] = {EDS: set(), RDS: set()}
        async for content in stream:
            response: Any = message_class(RESPONSE).FromString(content)
            if response.type_url == RDS:
                print(json.dumps({"proxy": number, "at": time.monotonic()}), flush=True)
            wanted = _wanted(response)
            outgoing.put_nowait(_request(number, response.type_url, response.nonce))
            for type_url, names in wanted.items():
                if fresh := sorted(names - known[type_url]):
                    known[type_url].update(fresh)
                    outgoing.put_nowait(_request(number, type_url, names=fresh))


async def _sent(outgoing: "asyncio.Queue[bytes]") -> AsyncIterator[bytes]:
    while True:
        yield await outgoing.get()


def _request(number: int, type_url: str, nonce: str = "", names: list[str] | None = None) -> bytes:
    ip = f"10.8.{number // 250}.{number % 250}"
    value: dict[str, Any] = {
        "node": {
            "id": f"sidecar~{ip}~web-{number}.default~default.svc.cluster.local",
            "metadata": {"LABELS": {"app": f"web-{number}"}, "WORKLOAD_NAME": f"web-{number}"},
        },
        "type_url": type_url,
        "response_nonce": nonce,
    }
    if names:
        value["resource_names_subscribe"] = names
    return build(REQUEST, value).SerializeToString()


def _wanted(response: Any) -> dict[str, set[str]]:
    """What Envoy asks for because of these clusters or listeners."""
    if response.type_url == CDS:
        return {EDS: {r.name for r in response.resources if r.name.startswith("outbound|")}}
    if response.type_url == LDS:
        return {RDS: {r.name.rpartition("_")[2] for r in response.resources if r.name.startswith("0.0.0.0_")}}
    return {}


async def main(target: str, count: int) -> None:
    """Run all of them."""
    await asyncio.gather(*(proxy(target, number) for number in range(count)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
