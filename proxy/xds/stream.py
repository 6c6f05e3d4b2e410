"""One proxy's stream, without its transport: requests in, responses out, in an order that drops no traffic.

New clusters and their endpoints come before the listeners and routes that use them; clusters that are gone
are removed last. A type is sent only after Envoy answered the one before: it answers for clusters when they
are warm. So a slow proxy has at most one push on its way per type, and gets the newest state with the next.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from proxy.envoy.messages import message_class
from proxy.xds.node import Node
from proxy.xds.resources import CDS, EDS, LDS, RDS, SDS, SHORT, Resource, Snapshot
from proxy.xds.watch import Nack, Update, Watch
from vigla.errors import BadInput

_SERVICE = "envoy.service.discovery.v3."
_STAGES = ((CDS, True), (EDS, True), (LDS, False), (RDS, False), (SDS, False), (CDS, False))
"""Type, and whether what is gone is kept for now."""
_USERS = (LDS, RDS)
"""What names clusters."""

_RESOURCES_TAG = b"\x12"  # field 2, length-delimited: ``resources`` of both responses, ``Resource.resource``


class Stream:
    """Protocol state of one connection; not thread-safe."""

    def __init__(self, node: Node, *, delta: bool, ack_wait_s: float = 10.0) -> None:
        """Start with nothing known.

        Args:
            node: who connected.
            delta: speak the incremental protocol.
            ack_wait_s: seconds after which a response without answer no longer holds up the next type.
        """
        self.node = node
        self.delta = delta
        self.watches: dict[str, Watch] = {}
        self.snapshot: Snapshot | None = None
        self._ack_wait_s = ack_wait_s
        self._stage = len(_STAGES)
        self._nonce = 0
        self._opened: float | None = None
        self._came_back = False

    @property
    def pending(self) -> bool:
        """A push is not yet sent and answered in full."""
        return self._stage < len(_STAGES)

    def offer(self, snapshot: Snapshot) -> None:
        """What the proxy should have from now on; replaces what was offered before."""
        self.snapshot = snapshot
        self._stage = 0

    def receive(self, request: Any) -> Nack | None:
        """Take a request; returns the refusal that it holds, if any.

        Raises:
            BadInput: the type is none that we serve.
        """
        if request.type_url not in SHORT:
            raise BadInput(f"type {request.type_url!r} is not served: ask for one of {', '.join(SHORT)}")
        error = request.error_detail.message if request.HasField("error_detail") else None
        return self._receive_delta(request, error) if self.delta else self._receive_sotw(request, error)

    def _receive_sotw(self, request: Any, error: str | None) -> Nack | None:
        known = self.watches.get(request.type_url)
        if known is None:
            self._begin(request.type_url, request.resource_names)
            return None
        if request.response_nonce != known.nonce:
            return None  # an answer to an older response; the one to the newest is on its way
        refused = known.settle(request.response_nonce, error)
        if not known.wildcard or request.resource_names:
            known.replace(request.resource_names)
        return refused

    def _receive_delta(self, request: Any, error: str | None) -> Nack | None:
        watch = self.watches.get(request.type_url)
        if watch is None:
            watch = self._begin(request.type_url, request.resource_names_subscribe)
            versions = request.initial_resource_versions
            watch.sent = {name: Resource(name, versions[name], b"") for name in versions}
            watch.owed -= {name for name in versions if versions[name]}
            self._came_back = self._came_back or bool(versions)
            return None
        refused = watch.settle(request.response_nonce, error)
        watch.unsubscribe(request.resource_names_unsubscribe)
        if request.resource_names_subscribe:
            watch.subscribe(request.resource_names_subscribe)
        return refused

    def _begin(self, type_url: str, names: Iterable[str]) -> Watch:
        watch = self.watches[type_url] = Watch(type_url)
        watch.begin(names)
        self._stage = 0  # what the proxy has from before may be gone, which is told in turn
        return watch

    def next_response(self, now: float) -> tuple[str, bytes] | None:
        """The type and bytes of the response to send now, if there is one.

        Args:
            now: monotonic seconds.
        """
        if self._opened is None:
            self._opened = now
        if self.snapshot is None:
            return None
        for type_url in SHORT:
            watch = self.watches.get(type_url)
            if watch and watch.due and (made := self._respond(watch, now, keep=True)):
                return made
        while self.pending:
            type_url, keep = _STAGES[self._stage]
            if watch := self.watches.get(type_url):
                if watch.waiting and now - watch.sent_at < self._ack_wait_s:
                    return None
                if type_url == CDS and not keep and self._in_use(watch, now):
                    return None
                if made := self._respond(watch, now, keep=keep):
                    return made
            self._stage += 1
        return None

    def wait_s(self, now: float) -> float | None:
        """Seconds until ``next_response`` may have something without a request or offer; ``None``: never."""
        if not self.pending or self.snapshot is None:
            return None
        watch = self.watches.get(_STAGES[self._stage][0])
        if watch is None:
            return None
        since = watch.sent_at if watch.waiting else self._opened
        return max(0.0, (now if since is None else since) + self._ack_wait_s - now)

    def _in_use(self, clusters: Watch, now: float) -> bool:
        """Whether clusters that are gone may be named by what the proxy has and did not ask for yet.

        Who comes back asks for one type after the other: its clusters would go before its routes.
        """
        assert self.snapshot is not None  # noqa: S101  next_response looked
        assert self._opened is not None  # noqa: S101  it is set there
        if not self._came_back or now - self._opened >= self._ack_wait_s:
            return False
        asked = all(user in self.watches for user in _USERS)
        return not asked and clusters.loses(self.snapshot.get(CDS))

    def _respond(self, watch: Watch, now: float, *, keep: bool) -> tuple[str, bytes] | None:
        assert self.snapshot is not None  # noqa: S101  next_response looked
        update = watch.update(self.snapshot.get(watch.type_url), keep=keep)
        if update is None:
            return None
        if watch.type_url == CDS:
            self._owe_endpoints(update)
        self._nonce += 1
        watch.sending(update, str(self._nonce), now)
        encode = _delta_response if self.delta else _sotw_response
        return watch.type_url, encode(watch, update, str(self._nonce))

    def _owe_endpoints(self, update: Update) -> None:
        """A changed cluster, or one that is back, warms up anew: Envoy waits for its endpoints.

        It does not ask for them again when it still watches them.
        """
        endpoints = self.watches.get(EDS)
        if endpoints is not None:
            again = {r.name for r in update.changed} & endpoints.names
            endpoints.owed |= again
            endpoints.due = endpoints.due or bool(again)


def read_request(content: bytes, *, delta: bool) -> Any:
    """A discovery request of either protocol.

    Raises:
        google.protobuf.message.DecodeError: the bytes are none.
    """
    name = "DeltaDiscoveryRequest" if delta else "DiscoveryRequest"
    return message_class(_SERVICE + name).FromString(content)


def _sotw_response(watch: Watch, update: Update, nonce: str) -> bytes:
    resources = update.everything if watch.whole else update.changed
    head = _message("DiscoveryResponse", type_url=watch.type_url, version_info=update.version, nonce=nonce)
    return head.SerializeToString() + b"".join(_embedded(r.body) for r in resources)


def _delta_response(watch: Watch, update: Update, nonce: str) -> bytes:
    head = _message(
        "DeltaDiscoveryResponse",
        type_url=watch.type_url,
        system_version_info=update.version,
        nonce=nonce,
        removed_resources=list(update.removed),
    )
    return head.SerializeToString() + b"".join(_embedded(_delta_resource(r)) for r in update.changed)


def _delta_resource(resource: Resource) -> bytes:
    head = _message("Resource", name=resource.name, version=resource.version)
    return head.SerializeToString() + _embedded(resource.body)


def _message(name: str, /, **fields: Any) -> Message:
    return message_class(_SERVICE + name)(**fields)


def _embedded(content: bytes) -> bytes:
    """Serialized content as a field of a message: encodings can be joined, so none is parsed again."""
    size, length = len(content), bytearray()
    while size > 0x7F:  # noqa: PLR2004  a varint: seven bits a byte
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return _RESOURCES_TAG + bytes(length) + content
