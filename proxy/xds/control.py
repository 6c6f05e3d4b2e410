"""The control plane: makes each connected proxy's resources, again after every change, and offers them."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from proxy.xds.debounce import Debounce
from proxy.xds.metrics import PilotMetrics
from proxy.xds.node import Node
from proxy.xds.resources import SDS, SHORT, Resources, Snapshot
from proxy.xds.status import ProxyStatus, type_states
from proxy.xds.stream import Stream, read_request
from vigla.clock import Clock, SystemClock
from vigla.errors import Overloaded

Generate = Callable[[Node, Snapshot | None], Snapshot]
"""A proxy's resources, given its last ones; runs in a thread."""

Secrets = Callable[[Node], Resources]
"""A proxy's secrets (SDS); runs in the same thread."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class XdsSettings:
    """Limits of the control plane.

    Attributes:
        quiet_s: changes are acted on after this time without another one.
        limit_s: and at the latest after this time.
        ack_wait_s: how long a proxy may take to answer before the next type is sent anyway.
        max_streams: proxies connected at once.
    """

    quiet_s: float = 0.1
    limit_s: float = 10.0
    ack_wait_s: float = 10.0
    max_streams: int = 1000


class Connection:
    """A connected proxy: its stream, and what it waits for."""

    def __init__(self, stream: Stream, peer: str) -> None:
        self.stream = stream
        self.peer = peer
        self.since = datetime.now(UTC)
        self.wake = asyncio.Event()
        self.base: Snapshot | None = None
        self.changed_at: float | None = None

    def offer(self, snapshot: Snapshot, changed_at: float | None) -> None:
        """Send this from now on; ``changed_at``: monotonic time of the change behind it."""
        self.stream.offer(snapshot)
        if self.changed_at is None:
            self.changed_at = changed_at
        self.wake.set()


class ControlPlane:
    """All connected proxies of this process; used from one event loop."""

    def __init__(  # noqa: PLR0913  what it is made of
        self,
        generate: Generate,
        *,
        metrics: PilotMetrics,
        secrets: Secrets | None = None,
        joined: Callable[[Node], None] | None = None,
        left: Callable[[Node], None] | None = None,
        settings: XdsSettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; ``start`` begins to make resources.

        Args:
            generate: makes all but secrets. When it raises, the proxy keeps what it has.
            metrics: where pushes are counted.
            secrets: makes secrets.
            joined: told of each stream's beginning.
            left: told of each stream's end.
            settings: limits.
            clock: source of time.
        """
        self.settings = settings or XdsSettings()
        self.metrics = metrics
        self.clock = clock or SystemClock()
        self._generate = generate
        self._secrets = secrets
        self._joined = joined
        self._left = left
        self._connections: dict[Connection, None] = {}
        self._full: dict[Connection, float | None] = {}
        self._secret_only: dict[Connection, None] = {}
        self._debounce = Debounce(self.settings.quiet_s, self.settings.limit_s)
        self._wake = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="xds generate")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Make resources for who connects."""
        self._task = asyncio.create_task(self._run(), name="xds generate")

    async def stop(self) -> None:
        """Make no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._executor.shutdown(cancel_futures=True)

    def changed(self) -> None:
        """The configuration or the registry is another: make everything anew, once it is quiet."""
        self._debounce.event(self.clock.monotonic())
        self._wake.set()

    def secrets_changed(self, instances: Iterable[str] | None = None) -> None:
        """Certificates are due: make the secrets of these proxies (``Node.instance``; ``None``: all) anew."""
        wanted = None if instances is None else set(instances)
        for connection in self._connections:
            if wanted is None or connection.stream.node.instance in wanted:
                self._secret_only[connection] = None
        self._wake.set()

    def status(self) -> tuple[ProxyStatus, ...]:
        """How far each proxy is, in the order of their connecting."""
        return tuple(
            ProxyStatus(
                c.stream.node, c.since, c.peer, "delta" if c.stream.delta else "sotw", type_states(c.stream)
            )
            for c in self._connections
        )

    def snapshot(self, instance: str) -> Snapshot | None:
        """What a connected proxy (``Node.instance``) was offered last; of its streams the newest counts."""
        found = (c.stream.snapshot for c in reversed(self._connections) if c.stream.node.instance == instance)
        return next(found, None)

    def connect(self, node: Node, peer: str, *, delta: bool) -> Connection:
        """Take a proxy in; its resources come as soon as they are made.

        Raises:
            Overloaded: too many are connected.
        """
        if len(self._connections) >= self.settings.max_streams:
            raise Overloaded(f"{self.settings.max_streams} proxies are connected: raise max_streams")
        if self._joined is not None:
            self._joined(node)
        connection = Connection(Stream(node, delta=delta, ack_wait_s=self.settings.ack_wait_s), peer)
        self._connections[connection] = None
        self.metrics.connected.set(len(self._connections))
        self._full[connection] = None
        self._wake.set()
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forget a proxy."""
        for known in (self._connections, self._full, self._secret_only):
            known.pop(connection, None)
        if self._left is not None:
            self._left(connection.stream.node)
        self.metrics.connected.set(len(self._connections))

    def receive(self, connection: Connection, content: bytes) -> None:
        """Take a request of a proxy.

        Raises:
            BadInput: the type is none that we serve.
        """
        request = read_request(content, delta=connection.stream.delta)
        if refused := connection.stream.receive(request):
            short = SHORT[request.type_url]
            self.metrics.rejects.labels(short).inc()
            instance = connection.stream.node.instance
            logger.warning("%s refused %s %s: %s", instance, short, refused.version, refused.message)
        connection.wake.set()

    def next_response(self, connection: Connection) -> bytes | None:
        """The next message for a proxy, if there is one."""
        now = self.clock.monotonic()
        made = connection.stream.next_response(now)
        if made is not None:
            self.metrics.pushes.labels(SHORT[made[0]]).inc()
            return made[1]
        if connection.changed_at is not None and not connection.stream.pending:
            self.metrics.convergence.observe(now - connection.changed_at)
            connection.changed_at = None
        return None

    async def _run(self) -> None:
        while True:
            first = self._debounce.take(self.clock.monotonic())
            if first is not None:
                self._full = {c: self._full.get(c, first) for c in self._connections}
            if self._full:
                connection = next(reversed(self._full))  # who just connected has nothing yet: it goes first
                await self._make(connection, self._full.pop(connection))
            elif self._secret_only:
                connection = next(iter(self._secret_only))
                await self._make_secrets(connection)
            else:
                await self._sleep()

    async def _sleep(self) -> None:
        waiter = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait([waiter], timeout=self._debounce.remaining(self.clock.monotonic()))
        waiter.cancel()
        self._wake.clear()

    async def _make(self, connection: Connection, changed_at: float | None) -> None:
        made = await self._in_thread(connection, self._generate, connection.stream.node, connection.base)
        if made is not None:
            connection.base = made
            await self._make_secrets(connection, changed_at)

    async def _make_secrets(self, connection: Connection, changed_at: float | None = None) -> None:
        self._secret_only.pop(connection, None)
        if connection.base is None:
            return
        snapshot: Snapshot | None = connection.base
        if self._secrets is not None:
            node, base, secrets = connection.stream.node, connection.base, self._secrets
            snapshot = await self._in_thread(connection, lambda: base.replace(SDS, secrets(node)))
        if snapshot is not None:
            connection.offer(snapshot, changed_at)

    async def _in_thread(
        self, connection: Connection, make: Callable[..., Snapshot], *args: object
    ) -> Snapshot | None:
        future = asyncio.get_running_loop().run_in_executor(self._executor, make, *args)
        await asyncio.wait([future])
        if error := future.exception():  # any: whatever goes wrong for one proxy must not stop the others
            self.metrics.failures.inc()
            instance = connection.stream.node.instance
            logger.error("resources of %s not made, it keeps its last ones: %r", instance, error)
            return None
        return future.result()
