"""Envoy's admin interface, as far as the agent needs it."""

import json
import re
from typing import Any

import httpx

from proxy.agent.bootstrap import READY_STATS
from proxy.agent.settings import LOOPBACK

MAX_APP_BYTES = 10_000_000
_TIMEOUT_S = 5.0
_LIVE = 0
_READY_STATS = (
    "server.state",
    "cluster_manager.cds.update_success",
    "listener_manager.lds.update_success",
    "listener_manager.workers_started",
)
_OTHERS = re.compile(rf"listener\.(admin|{READY_STATS}|.*\.worker_\d+)\.")  # workers count the same once more


class EnvoyAdmin:
    """Client of one Envoy; ``port`` follows its restarts."""

    def __init__(self) -> None:
        self.port = 0
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def why_not_ready(self) -> str:
        """What is missing before Envoy may get traffic; empty: nothing."""
        try:
            state, cds, lds, workers = [(await self._stats()).get(name) for name in _READY_STATS]
        except httpx.HTTPError as error:
            return f"Envoy's admin interface does not answer: {error!r}"
        missing = {
            "server is not live": state != _LIVE,
            "no clusters (cds) accepted yet": not cds,
            "no listeners (lds) accepted yet": not lds,
            "workers are not started": not workers,
        }
        return ", ".join(text for text, is_so in missing.items() if is_so)

    async def connections(self) -> int:
        """Client connections to listeners of the mesh."""
        found = await self._get("/stats", format="json", filter=r"^listener\..*\.downstream_cx_active$")
        values = {s["name"]: s["value"] for s in json.loads(found).get("stats", []) if "name" in s}
        return sum(value for name, value in values.items() if not _OTHERS.match(name))

    async def drain(self) -> None:
        """Ask Envoy to end its connections gracefully."""
        url = f"http://{LOOPBACK}:{self.port}/drain_listeners"
        (await self._client.post(url, params={"graceful": ""})).raise_for_status()

    async def prometheus(self) -> bytes:
        """Envoy's statistics in Prometheus' text format."""
        return await self._get("/stats/prometheus")

    async def get(self, url: str) -> bytes:
        """The body of another server's answer.

        Raises:
            httpx.HTTPError: there is none, or it is too long.
        """
        async with self._client.stream("GET", url) as response:
            response.raise_for_status()
            parts, size = [], 0
            async for part in response.aiter_bytes():
                size += len(part)
                if size > MAX_APP_BYTES:
                    raise httpx.DecodingError(f"more than {MAX_APP_BYTES} bytes", request=response.request)
                parts.append(part)
        return b"".join(parts)

    async def _stats(self) -> dict[str, Any]:
        pattern = "^(" + "|".join(name.replace(".", r"\.") for name in _READY_STATS) + ")$"
        found = json.loads(await self._get("/stats", format="json", filter=pattern))
        return {s["name"]: s["value"] for s in found["stats"] if "name" in s}

    async def _get(self, path: str, **params: str) -> bytes:
        answer = await self._client.get(f"http://{LOOPBACK}:{self.port}{path}", params=params)
        answer.raise_for_status()
        return answer.content
