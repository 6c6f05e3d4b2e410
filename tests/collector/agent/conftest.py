"""An agent on free ports, and a collector with a bus behind it, in the test's own event loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector.agent.ports import AgentPorts
from collector.agent.server import Agent
from vigla.clock import SystemClock
from vigla.settings import Settings
from vigla.telemetry.metrics import Metrics

WITHIN_S = 30.0


@dataclass
class RunningAgent:
    """What a test talks to."""

    agent: Agent
    ports: AgentPorts
    metrics: Metrics
    http: httpx.AsyncClient

    def count(self, name: str, **labels: str) -> float:
        """A counter's value."""
        return self.metrics.registry.get_sample_value(f"vigla_{name}", labels) or 0.0


StartAgent = Callable[..., Awaitable[RunningAgent]]


@pytest.fixture
async def start_agent(tmp_path: Path) -> AsyncIterator[StartAgent]:
    """Call with the collector's URL and sections of settings to change."""
    async with AsyncExitStack() as stack:

        async def start(url: str, **sections: dict[str, Any]) -> RunningAgent:
            free = {"jaeger_compact_port": 0, "jaeger_binary_port": 0, "sampling_port": 0}
            hurried = {"batch_wait_s": 0.01, "max_retry_delay_s": 0.5, "poll_interval_s": 0.02}
            agent = {"collector": url, **free, **hurried, **sections.get("agent", {})}
            ports = {"otlp_grpc_port": 0, "otlp_http_port": 0, **sections.get("collector", {})}
            bus = {"min_free_bytes": 0, **sections.get("bus", {})}
            settings = Settings.model_validate({"agent": agent, "collector": ports, "bus": bus})
            metrics = Metrics()
            made = Agent(settings, tmp_path / "agent", metrics, SystemClock())
            stack.push_async_callback(made.stop)
            bound = await made.start()
            base = f"http://127.0.0.1:{bound.otlp_http}"
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=60))
            return RunningAgent(made, bound, metrics, http)

        yield start


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits until a condition holds."""

    async def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, "did not come about"
            await asyncio.sleep(0.02)

    return wait
