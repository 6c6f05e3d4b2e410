"""An event loop of its own for the Kafka client, which blocking threads and other loops call into."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """A running loop. Nothing that blocks may run in it: the client's heartbeats do."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it there and wait for what it gives. For threads without a loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def await_(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it there, for a coroutine of another loop. Cancelling it cancels the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it there, and do not wait."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End the loop. What runs in it must have ended."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
