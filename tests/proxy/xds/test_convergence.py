"""Whatever happens in between: in the end a proxy has what it was shown last."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.envoy.messages import message_class
from proxy.xds.node import parse_node
from proxy.xds.resources import CDS, EDS, LDS, RDS, Resource, Snapshot, version_of
from proxy.xds.stream import Stream
from tests.proxy.xds.plane import (
    NODE,
    Client,
    assignment,
    cluster,
    listener,
    names,
    request,
    route,
    running,
    snapshot,
    versions,
)

NAMES = "abc"
WHOLE, NAMED = (CDS, LDS), (EDS, RDS)
ANSWER = "envoy.service.discovery.v3.{}DiscoveryResponse"

contents = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), max_size=3)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any resources of all types."""
    c, e, lis, r = (draw(contents) for _ in range(4))
    return snapshot(
        [cluster(n, v) for n, v in c.items()],
        [assignment(n, v) for n, v in e.items()],
        [listener(n, str(v)) for n, v in lis.items()],
        [route(n, str(v)) for n, v in r.items()],
    )


steps = st.one_of(
    st.tuples(st.just("show"), snapshots()),
    st.tuples(st.just("receive"), st.integers(1, 3)),
    st.tuples(st.just("answer"), st.integers(1, 3)),
    st.tuples(st.just("want"), st.sampled_from(NAMED), st.sets(st.sampled_from(NAMES))),
    st.tuples(st.just("stale"), st.sampled_from(WHOLE + NAMED)),
    st.tuples(st.just("reconnect")),
)


def state(response: Any) -> dict[str, str]:
    """Version by name of what a response holds, computed from its content."""
    bodies = [getattr(r, "resource", r).SerializeToString() for r in response.resources]
    return {n: body.hex() for n, body in zip(names(response), bodies, strict=True)}


@dataclass
class Proxy:
    """A proxy as the protocol describes it: applies in order, answers later."""

    delta: bool
    has: dict[str, dict[str, str]] = field(default_factory=lambda: {t: {} for t in WHOLE + NAMED})
    known: dict[str, dict[str, str]] = field(default_factory=lambda: {t: {} for t in WHOLE + NAMED})
    wants: dict[str, set[str]] = field(default_factory=lambda: {t: set() for t in NAMED})
    nonces: dict[str, str] = field(default_factory=dict)
    inbox: list[Any] = field(default_factory=list)
    shown: Snapshot = field(default_factory=Snapshot)
    stream: Stream = field(init=False)

    def __post_init__(self) -> None:
        self.reconnect()

    def show(self, found: Snapshot) -> None:
        self.shown = found
        self.stream.offer(found)

    def receive(self, count: int) -> bool:
        """Messages arrive; they are not yet looked at."""
        for _ in range(count):
            made = self.stream.next_response(0.0)
            if made is None:
                return False
            kind = ANSWER.format("Delta" if self.delta else "")
            self.inbox.append(message_class(kind).FromString(made[1]))
        return True

    def answer(self, count: int) -> None:
        """The oldest messages are applied and accepted."""
        for _ in range(min(count, len(self.inbox))):
            found = self.inbox.pop(0)
            type_url = found.type_url
            if not self.delta and type_url in WHOLE:
                self.has[type_url].clear()
            asked = found.resources if type_url in WHOLE else self.wants[type_url]
            self.has[type_url] |= {n: v for n, v in state(found).items() if type_url in WHOLE or n in asked}
            if self.delta:
                self.known[type_url] |= {r.name: r.version for r in found.resources}
                for name in found.removed_resources:
                    self.has[type_url].pop(name, None)
            self.nonces[type_url] = found.nonce
            self._send(type_url, response_nonce=found.nonce)

    def want(self, type_url: str, wanted: set[str]) -> None:
        """Other names; a proxy of the old protocol does so only when nothing is on its way."""
        if not self.delta:
            self.settle()
        more, less = wanted - self.wants[type_url], self.wants[type_url] - wanted
        self.wants[type_url] = set(wanted)
        for name in less:
            self.has[type_url].pop(name, None)
        if self.delta:
            self._send(type_url, resource_names_subscribe=more, resource_names_unsubscribe=less)
        else:
            self._send(type_url, response_nonce=self.nonces.get(type_url, ""))

    def stale(self, type_url: str) -> None:
        self._send(type_url, response_nonce="long ago", error="a refusal of nothing")

    def reconnect(self) -> None:
        self.stream = Stream(parse_node(NODE), delta=self.delta)
        self.inbox.clear()
        self.nonces.clear()
        for type_url in WHOLE + NAMED:
            wanted = self.wants.get(type_url, set())
            if self.delta:
                had = {n: self.known[type_url][n] for n in self.has[type_url]}
                self._send(type_url, resource_names_subscribe=wanted, initial_resource_versions=had)
            else:
                self._send(type_url)
        self.stream.offer(self.shown)

    def settle(self) -> None:
        """Until nothing is on its way."""
        for _ in range(200):
            if not self.receive(1) and not self.inbox:
                return
            self.answer(1)
        raise AssertionError("it does not end")

    def _send(self, type_url: str, **fields: Any) -> None:
        if not self.delta:
            fields["resource_names"] = self.wants.get(type_url, set())
        kind = "DeltaDiscoveryRequest" if self.delta else "DiscoveryRequest"
        self.stream.receive(request(kind, type_url=type_url, **fields))


def wanted(proxy: Proxy, type_url: str) -> Mapping[str, Resource]:
    """What the proxy must have of a type."""
    found = proxy.shown.get(type_url)
    return found if type_url in WHOLE else {n: r for n, r in found.items() if n in proxy.wants[type_url]}


def check(proxy: Proxy) -> None:
    for type_url in WHOLE + NAMED:
        expected = {n: r.body.hex() for n, r in wanted(proxy, type_url).items()}
        has = proxy.has[type_url]
        assert {n: v for n, v in has.items() if type_url in WHOLE or n in expected} == expected
    assert not proxy.stream.pending
    assert not any(w.waiting or w.nack for w in proxy.stream.watches.values())


@settings(max_examples=300)
@given(st.lists(steps, max_size=25), st.booleans())
def test_any_sequence_ends_with_what_was_shown_last(sequence: list[tuple[Any, ...]], delta: bool):  # noqa: FBT001
    proxy = Proxy(delta)
    actions: dict[str, Callable[..., Any]] = {
        "show": proxy.show,
        "receive": proxy.receive,
        "answer": proxy.answer,
        "want": proxy.want,
        "stale": proxy.stale,
        "reconnect": proxy.reconnect,
    }
    for action, *arguments in sequence:
        actions[action](*arguments)
    proxy.settle()

    check(proxy)


async def _follow(client: Client, expected: dict[str, str], held_back: list[bool]) -> None:
    """Read, and accept at once or with the next one, until the clusters are the expected ones."""
    has: dict[str, str] = {}
    late: list[Any] = []
    await client.send(CDS)
    while has != expected:
        found = await client.read()
        if client.delta:
            has |= {r.name: r.version for r in found.resources}
            for name in found.removed_resources:
                has.pop(name, None)
        else:
            has = {n: expected.get(n, "") for n in names(found)}
            has = has if found.version_info == version_of_all(expected) else {"": ""}
        late.append(found)
        if held_back and held_back.pop():
            continue
        for one in late:
            await client.answer(one)
        late.clear()


def version_of_all(expected: Mapping[str, str]) -> str:
    """The version of everything in a response of the old protocol."""
    return version_of([Resource(n, v, b"") for n, v in expected.items()])


@settings(max_examples=12)
@given(st.lists(snapshots(), min_size=1, max_size=8), st.lists(st.booleans(), max_size=1), st.booleans())
def test_any_sequence_over_grpc_ends_with_what_was_shown_last(
    shown: list[Snapshot],
    held_back: list[bool],
    delta: bool,  # noqa: FBT001
):
    async def follow() -> None:
        shown.append(snapshot([cluster("end", len(shown))]))
        async with running({"web-1.default": shown[0]}) as plane, plane.client(delta=delta) as client:
            following = asyncio.create_task(_follow(client, versions(shown[-1], CDS), held_back))
            for one in shown:
                plane.show(one)
                await asyncio.sleep(0.03)
            await following

    asyncio.run(follow())
