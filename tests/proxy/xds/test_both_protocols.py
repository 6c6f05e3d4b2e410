"""What holds for the state of the world and for the incremental protocol alike, over real gRPC."""

import asyncio

import grpc
import pytest

from proxy.xds.control import XdsSettings
from proxy.xds.resources import CDS, EDS, LDS, RDS, SDS
from proxy.xds.status import State
from tests.proxy.xds.plane import (
    NODE,
    OTHER,
    QUIET_S,
    Plane,
    assignment,
    cluster,
    listener,
    names,
    opened,
    request,
    route,
    running,
    snapshot,
)

BOTH = pytest.mark.parametrize("delta", [False, True], ids=["sotw", "delta"])
pytestmark = BOTH


async def test_everything_comes_first_and_then_what_changed(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        assert sorted(names(await client.take())) == ["a", "b"]

        plane.show(snapshot([cluster("a"), cluster("b", 2), cluster("n")]))

        assert sorted(names(await client.take())) == (["b", "n"] if delta else ["a", "b", "n"])
        await plane.until(lambda: plane.status("cds").state is State.SYNCED)
        assert plane.status("cds").resources == 3


async def test_what_does_not_change_is_not_sent(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.take()
        plane.show(snapshot([cluster("b"), cluster("a")]))

        await asyncio.sleep(QUIET_S)
        plane.show(snapshot([cluster("a"), cluster("b", 7)]))

        assert len(names(await client.read())) == (1 if delta else 2)


async def test_a_refusal_is_kept_and_shown_until_its_resource_is_accepted(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        good = await client.take()
        plane.show(snapshot([cluster("a", 66), cluster("b")]))
        bad = await client.read()
        await client.answer(bad, error="cluster a: 66 is no good")
        await plane.until(lambda: plane.status("cds").state is State.NACK)
        found = plane.status("cds")
        assert found.error == "cluster a: 66 is no good"
        assert found.rejected == found.version != found.acked
        assert not delta or found.rejected == bad.system_version_info
        assert delta or found.acked == good.version_info

        plane.show(snapshot([cluster("a", 66), cluster("b"), cluster("d")]))
        await client.take()
        if delta:  # that was about another resource
            assert plane.status("cds").state is State.NACK

        plane.show(snapshot([cluster("a", 2), cluster("b"), cluster("d")]))
        await client.take()
        await plane.until(lambda: plane.status("cds").state is State.SYNCED)
        assert plane.status("cds").error == ""


async def test_a_refused_response_is_not_sent_again_by_itself(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.answer(await client.read(), error="no")

        assert await client.silent()


async def test_a_stale_nonce_is_ignored(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        old = await client.take()
        plane.show(snapshot([cluster("a", 2), cluster("b")]))
        new = await client.read()

        await client.answer(old, error="too late")
        await client.send(CDS, response_nonce="never sent", error="made up")
        await client.answer(new)

        await plane.until(lambda: plane.status("cds").state is State.SYNCED)
        assert plane.status("cds").error == ""


async def test_new_comes_before_its_users_and_what_is_gone_last(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        plane.show(snapshot([cluster("a")], [assignment("x")], [listener("l")], [route("r")]))
        for type_url in (RDS, LDS, EDS, CDS):
            await client.send(type_url, *_asked(type_url))
        while not await client.silent() or _not_synced(plane):
            found = await client.read()
            await client.answer(found, *_asked(found.type_url))

        plane.show(snapshot([cluster("b")], [assignment("y")], [listener("m")], [route("r", "x")]))
        order = []
        for _ in range(5):
            found = await client.read()
            order.append(
                (found.type_url, sorted(names(found)), sorted(getattr(found, "removed_resources", ())))
            )
            assert await client.silent()  # the next one waits for the answer
            await client.answer(found, *_asked(found.type_url))

    assert [type_url for type_url, _, _ in order] == [CDS, EDS, LDS, RDS, CDS]
    if delta:
        assert [o[1:] for o in order] == [(["b"], []), (["y"], []), (["m"], ["l"]), (["r"], []), ([], ["a"])]
    else:
        assert [o[1] for o in order] == [["a", "b"], ["y"], ["m"], ["r"], ["b"]]


def _asked(type_url: str) -> list[str]:
    return {EDS: ["x", "y"], RDS: ["r"]}.get(type_url, [])


def _not_synced(plane: Plane) -> bool:
    return any(plane.status(t).state is not State.SYNCED for t in ("cds", "eds", "lds", "rds"))


async def test_a_changed_cluster_gets_its_endpoints_again(plane: Plane, *, delta: bool):
    plane.show(snapshot([cluster("a")], [assignment("a")]))
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.take()
        await client.send(EDS, "a")
        await client.take("a")
        plane.show(snapshot([cluster("a", 2)], [assignment("a")]))
        assert (await client.take()).type_url == CDS

        found = await client.take("a")

        assert (found.type_url, names(found)) == (EDS, ["a"])


async def test_names_are_answered_when_they_are_asked_for(plane: Plane, *, delta: bool):
    plane.show(snapshot([], [assignment("a"), assignment("b")], [], [route("r")]))
    async with plane.client(delta=delta) as client:
        await client.send(EDS, "a")
        first = await client.take("a")
        assert names(first) == ["a"]

        await client.send(EDS, *(["b"] if delta else ["a", "b"]), response_nonce="" if delta else first.nonce)

        assert names(await client.take("a", "b")) == ["b"]


async def test_endpoints_and_routes_that_nobody_knows_are_answered_with_nothing_in_them(
    plane: Plane, *, delta: bool
):
    async with plane.client(delta=delta) as client:
        await client.send(EDS, "unknown")
        found = await client.take("unknown")
        assert names(found) == ["unknown"]
        await client.send(RDS, "unknown")
        assert names(await client.take("unknown")) == ["unknown"]
        await client.send(SDS, "unknown")  # a certificate without content would be refused
        assert await client.silent()


async def test_a_slow_client_gets_the_newest_state_and_nothing_between(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        first = await client.read()
        for seconds in range(2, 30):
            plane.show(snapshot([cluster("a", seconds), cluster("b")]))
            await plane.until(lambda: plane.control.snapshot("web-1.default") is plane.shown["web-1.default"])
        await client.answer(first)

        second = await client.take()

        (changed,) = [opened(_body(r)) for r in second.resources if opened(_body(r)).name == "a"]
        assert changed.connect_timeout.seconds == 29
        assert await client.silent()


def _body(found: object) -> bytes:
    inner = getattr(found, "resource", found)
    made: bytes = inner.SerializeToString()
    return made


async def test_a_client_that_never_answers_holds_no_more_than_a_bounded_past(*, delta: bool):
    settings = XdsSettings(quiet_s=0.0, limit_s=0.0, ack_wait_s=0.0)
    first = {"web-1.default": snapshot([cluster("a")])}
    async with running(first, settings) as plane, plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.read()
        for seconds in range(2, 200):
            plane.show(snapshot([cluster("a", seconds)]))
            last = await client.read()
        (connection,) = plane.control._connections
        assert len(connection.stream.watches[CDS].waiting) < 150
        await client.answer(last)

        await plane.until(lambda: plane.status("cds").state is State.SYNCED)


async def test_who_does_not_answer_gets_the_next_type_after_a_while(*, delta: bool):
    settings = XdsSettings(quiet_s=0.01, limit_s=0.1, ack_wait_s=0.2)
    first = {"web-1.default": snapshot([cluster("a")], listeners=[listener("l")])}
    async with running(first, settings) as plane, plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.send(LDS)
        assert {(await client.read()).type_url for _ in range(2)} == {CDS, LDS}
        plane.show(snapshot([cluster("a", 2)], listeners=[listener("l", "2")]))

        assert [(await client.read()).type_url for _ in range(2)] == [CDS, LDS]


async def test_two_proxies_get_each_its_own(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as web, plane.client(delta=delta, node=OTHER) as cart:
        await web.send(CDS)
        await cart.send(CDS)
        assert sorted(names(await web.take())) == ["a", "b"]
        assert names(await cart.take()) == ["c"]

        plane.show(snapshot([cluster("c", 2)]), "cart-1.default")

        assert names(await cart.take()) == ["c"]
        assert await web.silent()
        assert {s.node.instance for s in plane.control.status()} == {"web-1.default", "cart-1.default"}


async def test_who_goes_away_is_forgotten(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.read()
        assert plane.joined == ["web-1.default"]
    await plane.until(lambda: not plane.control.status())

    assert plane.left == ["web-1.default"]
    assert plane.control.snapshot("web-1.default") is None
    plane.show(snapshot())  # and changes go on


async def test_an_unknown_type_is_refused_and_others_go_on(plane: Plane, *, delta: bool):
    unknown = "type.googleapis.com/envoy.service.runtime.v3.Runtime"
    async with plane.client(delta=delta, node=OTHER) as other, plane.client(delta=delta) as client:
        await other.send(CDS)
        await client.send(unknown)
        code, details = await client.ended()
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert unknown in details
        assert CDS in details

        assert names(await other.read()) == ["c"]


@pytest.mark.parametrize("node", ["", "web-1", "teapot~1.2.3.4~web-1.default~x", "sidecar~1.2.3.4~web~x"])
async def test_a_node_that_says_not_who_it_is_is_refused(plane: Plane, *, delta: bool, node: str):
    async with plane.client(delta=delta, node=node) as client:
        await client.send(CDS)
        code, details = await client.ended()

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "write <sidecar or router>~<ip>" in details
    assert not plane.control.status()


async def test_too_many_proxies_are_refused(*, delta: bool):
    settings = XdsSettings(quiet_s=0.01, max_streams=1)
    first = {"web-1.default": snapshot([cluster("a")])}
    async with running(first, settings) as plane, plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.read()
        async with plane.client(delta=delta, node=OTHER) as late:
            await late.send(CDS)
            code, details = await late.ended()

        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "max_streams" in details


async def test_a_proxy_whose_resources_cannot_be_made_keeps_what_it_has(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS)
        await client.take()
        del plane.shown["web-1.default"]
        plane.control.changed()
        assert await client.silent()

        plane.show(snapshot([cluster("a", 3), cluster("b")]))

        assert "a" in names(await client.take())


async def test_a_wildcard_may_be_named_and_left(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS, "*")
        found = await client.take("*")
        assert sorted(names(found)) == ["a", "b"]

        if delta:
            await client.send(CDS, "a", resource_names_unsubscribe=["*"])
        else:
            await client.send(CDS, "a", response_nonce=found.nonce)
        first = await client.take("a")
        assert names(first) == ["a"]
        plane.show(snapshot([cluster("a", 2), cluster("b", 2)]))
        assert names(await client.take("a")) == ["a"]

        await client.send(CDS, "*", response_nonce="" if delta else _nonce(plane))
        assert "b" in names(await client.take("*"))


def _nonce(plane: Plane) -> str:
    (connection,) = plane.control._connections
    return connection.stream.watches[CDS].nonce


async def test_named_clusters_that_go_are_told(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        await client.send(CDS, "a", "b")
        assert sorted(names(await client.take("a", "b"))) == ["a", "b"]

        plane.show(snapshot([cluster("b")]))
        found = await client.take("a", "b")

        assert (names(found), list(getattr(found, "removed_resources", ()))) == (
            ([], ["a"]) if delta else (["b"], [])
        )


async def test_a_proxy_with_metadata_of_other_types_is_refused_alone(plane: Plane, *, delta: bool):
    async with plane.client(delta=delta) as client:
        kind = "DeltaDiscoveryRequest" if delta else "DiscoveryRequest"
        made = request(kind, type_url=CDS, node=NODE)
        made.node.metadata.update({"INBOUND": [{"port": "many"}], "LABELS": "app=web"})
        await client.send_raw(made)
        code, details = await client.ended()

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "metadata" in details
    assert not plane.control.status()
