"""Many agents in one process: started in parallel, stopped together."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from proxy.agent.agent import Agent
from proxy.agent.settings import AgentSettings
from vigla.errors import SettingsError


class AgentGroup:
    """The agents of a mesh on one machine, by ``<instance>.<namespace>``; a context manager.

    Raises:
        SettingsError: two agents have one name.
    """

    def __init__(self, settings: Iterable[AgentSettings]) -> None:
        self.agents: dict[str, Agent] = {}
        for one in settings:
            if one.instance in self.agents:
                raise SettingsError(f"two proxies are named {one.instance}: give each another instance")
            self.agents[one.instance] = Agent(one)

    async def start(self) -> None:
        """Start all.

        Raises:
            SettingsError: one of them cannot listen; none runs then.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                for agent in self.agents.values():
                    tasks.create_task(agent.start())
        except* SettingsError as failed:
            await self.stop()
            raise failed.exceptions[0] from None

    async def ready(self, timeout_s: float = 30.0) -> None:
        """Wait until all may get traffic.

        Raises:
            EnvoyNotReady: one of them may not after ``timeout_s``.
        """
        waiting = [asyncio.create_task(agent.ready(timeout_s)) for agent in self.agents.values()]
        await asyncio.gather(*waiting)

    async def stop(self) -> None:
        """Stop all; returns when every Envoy is gone."""
        await asyncio.gather(*(agent.stop() for agent in self.agents.values()))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
