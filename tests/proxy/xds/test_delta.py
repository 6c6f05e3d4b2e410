"""The incremental protocol's own rules, over real gRPC."""

import asyncio

from proxy.xds.control import XdsSettings
from proxy.xds.resources import CDS, EDS, LDS, RDS
from proxy.xds.status import State
from tests.proxy.xds.plane import (
    Plane,
    assignment,
    cluster,
    listener,
    names,
    route,
    running,
    snapshot,
    versions,
)


async def test_resources_have_versions_of_their_content(plane: Plane):
    async with plane.client(delta=True) as client:
        await client.send(CDS)
        found = {r.name: r.version for r in (await client.take()).resources}

        assert found == versions(plane.shown["web-1.default"], CDS)


async def test_what_is_gone_is_told(plane: Plane):
    async with plane.client(delta=True) as client:
        await client.send(CDS)
        await client.take()
        plane.show(snapshot([cluster("b")]))

        found = await client.take()

        assert (names(found), list(found.removed_resources)) == ([], ["a"])


async def test_what_was_unsubscribed_comes_no_more(plane: Plane):
    plane.show(snapshot([], [assignment("a"), assignment("b")]))
    async with plane.client(delta=True) as client:
        await client.send(EDS, "a", "b")
        assert sorted(names(await client.take())) == ["a", "b"]
        await client.send(EDS, resource_names_unsubscribe=["a", "never"])
        plane.show(snapshot([], [assignment("a", 2), assignment("b", 2)]))

        assert names(await client.take()) == ["b"]
        assert plane.status("eds").resources == 1

        await client.send(EDS, "a")
        assert names(await client.take()) == ["a"]


async def test_asking_again_is_answered_again(plane: Plane):
    plane.show(snapshot([], [assignment("a")]))
    async with plane.client(delta=True) as client:
        for _ in range(3):
            await client.send(EDS, "a")
            assert names(await client.take()) == ["a"]


async def test_a_request_may_answer_and_subscribe_at_once(plane: Plane):
    plane.show(snapshot([], [assignment("a"), assignment("b")]))
    async with plane.client(delta=True) as client:
        await client.send(EDS, "a")
        found = await client.read()
        await client.answer(found, error="a is bad", resource_names_subscribe=["b"])

        assert names(await client.read()) == ["b"]
        assert plane.status("eds").error == "a is bad"


async def test_who_comes_back_gets_what_it_lacks(plane: Plane):
    had = versions(plane.shown["web-1.default"], CDS)
    async with plane.client(delta=True) as client:
        await client.send(CDS, initial_resource_versions={**had, "gone": "1", "b": "older"})
        await client.send(LDS, "none")
        await client.send(RDS, "none")

        first = await client.take()
        assert names(first) == ["b"]
        while "gone" not in first.removed_resources:
            first = await client.take()


async def test_who_comes_back_keeps_its_clusters_until_its_routes_are_new(plane: Plane):
    shown = snapshot([cluster("a")], listeners=[listener("l")], routes=[route("r", "new.example")])
    plane.show(shown)
    async with plane.client(delta=True) as client:
        await client.send(CDS, initial_resource_versions={"a": versions(shown, CDS)["a"], "old": "1"})
        assert not (await client.take()).removed_resources
        await client.send(LDS, initial_resource_versions=versions(shown, LDS))
        assert (await client.take()).type_url == LDS
        assert await client.silent()
        await client.send(RDS, "r", initial_resource_versions={"r": "1"})

        routes = await client.read()
        assert names(routes) == ["r"]
        assert await client.silent()  # the proxy has not said yet that it uses the new routes
        await client.answer(routes)
        assert list((await client.take()).removed_resources) == ["old"]


async def test_who_comes_back_without_routes_loses_its_old_clusters_after_a_while():
    shown = snapshot([cluster("a")])
    settings = XdsSettings(quiet_s=0.01, limit_s=0.1, ack_wait_s=0.3)
    async with running({"web-1.default": shown}, settings) as plane, plane.client(delta=True) as client:
        await client.send(CDS, initial_resource_versions={"a": versions(shown, CDS)["a"], "old": "1"})

        first = await client.take()
        while "old" not in first.removed_resources:
            first = await client.take()


async def test_who_comes_back_with_all_named_resources_is_in_sync(plane: Plane):
    shown = snapshot(routes=[route("r")])
    plane.show(shown)
    async with plane.client(delta=True) as client:
        await client.send(CDS)
        await client.take()
        await client.send(RDS, "r", initial_resource_versions=versions(shown, RDS))
        await plane.until(lambda: plane.status("rds").state is State.SYNCED)

        assert plane.status("rds").resources == 1
        assert plane.status("rds").version == plane.status("rds").acked != ""


async def test_an_idle_proxy_that_pings_stays(plane: Plane):
    often = [("grpc.keepalive_time_ms", 1200), ("grpc.http2.max_pings_without_data", 0)]
    async with plane.client(delta=True, options=often) as client:
        await client.send(CDS)
        await client.take()
        await asyncio.sleep(7)  # by gRPC's default the third ping within five minutes ends the connection
        plane.show(snapshot([cluster("a", 2)]))

        assert names(await client.take()) == ["a"]


async def test_who_comes_back_with_all_of_it_gets_an_empty_answer(plane: Plane):
    async with plane.client(delta=True) as client:
        await client.send(CDS, initial_resource_versions=versions(plane.shown["web-1.default"], CDS))
        found = await client.take()

        assert (names(found), list(found.removed_resources)) == ([], [])
        await plane.until(lambda: plane.status("cds").state is State.SYNCED)
        assert plane.status("cds").resources == 2


async def test_a_type_asked_for_late_after_coming_back_loses_what_is_gone(plane: Plane):
    plane.show(snapshot([cluster("a")], listeners=[listener("l")]))
    async with plane.client(delta=True) as client:
        await client.send(CDS)
        await client.take()
        await plane.until(lambda: plane.status("cds").state is State.SYNCED)
        await client.send(LDS, initial_resource_versions={"old": "1"})

        first = await client.take()
        assert names(first) == ["l"]
        assert list((await client.take()).removed_resources) == ["old"]


async def test_named_endpoints_that_are_known_already_are_not_sent(plane: Plane):
    shown = snapshot([], [assignment("a"), assignment("b")])
    plane.show(shown)
    async with plane.client(delta=True) as client:
        known = {"a": versions(shown, EDS)["a"], "b": "older"}
        await client.send(EDS, "a", "b", initial_resource_versions=known)

        assert names(await client.take()) == ["b"]


async def test_an_unknown_cluster_on_demand_is_said_not_to_be(plane: Plane):
    async with plane.client(delta=True) as client:
        await client.send(CDS, "nowhere")
        found = await client.take()

        assert (names(found), list(found.removed_resources)) == ([], ["nowhere"])

        plane.show(snapshot([cluster("nowhere")]))
        assert names(await client.take()) == ["nowhere"]


async def test_a_name_left_while_all_is_watched_is_answered(plane: Plane):
    async with plane.client(delta=True) as client:
        await client.send(CDS, "*", "a", "nowhere")
        await client.take()
        await client.send(CDS, resource_names_unsubscribe=["a", "nowhere"])

        found = await client.take()

        assert (names(found), list(found.removed_resources)) == (["a"], ["nowhere"])


async def test_a_wildcard_taken_up_again_brings_everything(plane: Plane):
    async with plane.client(delta=True) as client:
        await client.send(CDS)
        await client.take()
        await client.send(CDS, resource_names_unsubscribe=["*"])
        await client.send(CDS, "*")

        assert sorted(names(await client.take())) == ["a", "b"]
