"""The HTTP API against a real pilot: configuration, its history, and who is connected."""

import asyncio

from proxy.pilot.api import MAX_BODY_BYTES
from proxy.xds.resources import CDS, LDS, SDS
from tests.proxy.pilot.mesh import ROOT, Mesh, routes, service
from tests.proxy.xds.plane import NODE, names, request

REVIEWS = "outbound|9080||reviews.default.svc.cluster.local"


async def test_what_is_applied_is_there_as_it_was_written(mesh: Mesh):
    made = await mesh.apply(service() + routes(), file="shop.yaml", author="ada", message="first")

    assert made["objects"] == ["Service default/reviews", "VirtualService default/reviews"]
    assert (made["revision"]["number"], made["revision"]["author"]) == (1, "ada")
    assert [c["change"] for c in made["revision"]["changes"]] == ["created", "created"]
    (found,) = (await mesh.get("/config", kind="virtualservice"))["items"]
    assert found["spec"]["http"][0]["timeout"] == "2s"
    assert found["origin"] == {"file": "shop.yaml", "line": 10}


async def test_objects_are_selected(mesh: Mesh):
    await mesh.apply(service("a") + service("b"))
    await mesh.apply(service("a"), namespace="shop")

    async def found(**asked: str) -> list[str]:
        items = (await mesh.get("/config", **asked))["items"]
        return [f"{i['metadata'].get('namespace', 'default')}/{i['metadata']['name']}" for i in items]

    assert len(await found()) == 3
    assert await found(namespace="shop") != []
    assert len(await found(kind="Service", name="a")) == 2
    assert await found(kind="Gateway") == []


async def test_each_kind_has_a_schema(mesh: Mesh):
    known = await mesh.get("/schemas")
    route = known["kinds"]["VirtualService"]
    assert (route["apiVersion"], route["inline"], route["namespaced"]) == (
        "networking.istio.io/v1",
        False,
        True,
    )
    assert known["kinds"]["Namespace"]["namespaced"] is False
    for kind in known["kinds"].values():
        assert kind["schema"]["$ref"].removeprefix("#/$defs/") in known["$defs"]

    def fields(name: str) -> set[str]:
        return set(known["$defs"][name]["properties"])

    assert {"hosts", "http", "tls", "tcp", "exportTo", "gateways"} == fields("VirtualService")
    assert {"perTryTimeout", "retryOn", "attempts"} <= fields("HTTPRetry")  # spelled as in YAML


async def test_everything_that_is_wrong_is_said_and_nothing_applied(mesh: Mesh):
    text = service() + routes(timeout="soon") + routes("two").replace("http:", "colour: red\n  http:")
    problems = await mesh.refused(text)

    assert [(p["subject"], p["field"]) for p in problems] == [
        ("VirtualService default/reviews", "spec.http[0].timeout"),
        ("VirtualService default/two", "spec.colour"),
    ]
    assert all(p["line"] and p["message"] for p in problems)
    assert (await mesh.get("/config"))["items"] == []


async def test_a_dry_run_judges_only(mesh: Mesh):
    made = await mesh.apply(service(), dry_run="true")

    assert made["objects"] == ["Service default/reviews"]
    assert made["messages"] == []
    assert await mesh.number() == 0
    assert (await mesh.post(routes(timeout="soon"), dry_run="true")).status_code == 422


async def test_a_dry_run_tells_findings_of_its_objects_in_the_mesh(mesh: Mesh):
    await mesh.apply(routes("old", "lost"))
    await mesh.apply(service())
    weighted = routes("new", "gone").replace("{host: gone}", "{host: gone}\n      weight: 5")
    made = await mesh.apply(weighted, dry_run="true")

    assert {(m["code"], m["object"], m["path"], m["line"]) for m in made["messages"]} == {
        ("IST0101", "VirtualService default/new", "spec.http[0].route[0].destination.host", 10),
        ("KIA1104", "VirtualService default/new", "spec.http[0].route[0].weight", 11),
    }
    assert {m["object"] for m in await mesh.findings("IST0101")} == {"VirtualService default/old"}


async def test_an_empty_text_changes_nothing(mesh: Mesh):
    for _ in range(2):
        await mesh.apply("# nothing\n---\n")
        assert await mesh.number() == 0
    await mesh.apply(service())
    assert (await mesh.apply(service()))["revision"]["number"] == 1


async def test_history_difference_and_the_way_back(mesh: Mesh):
    await mesh.apply(service() + routes())
    await mesh.apply(routes(timeout="3s"))
    diff = (await mesh.api.get(f"{ROOT}/revisions/2/diff")).text
    assert "-  - timeout: 2s\n+  - timeout: 3s\n" in diff

    back = (await mesh.api.post(f"{ROOT}/revisions/1/rollback", params={"author": "bob"})).json()["revision"]
    assert (back["number"], back["author"], back["message"]) == (3, "bob", "Rollback to revision 1")
    (found,) = (await mesh.get("/config", kind="VirtualService"))["items"]
    assert found["spec"]["http"][0]["timeout"] == "2s"
    assert [r["number"] for r in (await mesh.get("/revisions"))["revisions"]] == [3, 2, 1]
    assert [r["number"] for r in (await mesh.get("/revisions", limit=1))["revisions"]] == [3]


async def test_one_object_is_deleted(mesh: Mesh):
    await mesh.apply(service() + routes())
    answer = await mesh.api.delete(f"{ROOT}/config/virtualservice/default/reviews", params={"author": "ada"})

    assert answer.json()["revision"]["author"] == "ada"
    assert [c["change"] for c in answer.json()["revision"]["changes"]] == ["deleted"]
    assert (await mesh.get("/config", kind="VirtualService"))["items"] == []


async def test_what_is_not_there_is_404_with_a_message(mesh: Mesh):
    for method, path, said in (
        ("DELETE", "/config/Gateway/default/none", "there is no Gateway default/none"),
        ("GET", "/revisions/7/diff", "there is no revision 7: the latest is 0"),
        ("POST", "/revisions/7/rollback", "there is no revision 7"),
        ("GET", "/proxies/nobody.default/config/clusters", "no proxy nobody.default is connected"),
    ):
        answer = await mesh.api.request(method, f"{ROOT}{path}")
        assert answer.status_code == 404
        assert said in answer.json()["error"]["message"]


async def test_requests_of_another_form_are_refused(mesh: Mesh):
    assert (await mesh.post("x", colour="red")).status_code == 422
    assert (await mesh.api.get(f"{ROOT}/revisions", params={"limit": 0})).status_code == 422
    assert (await mesh.api.get(f"{ROOT}/proxies/a.b/config/teapots")).status_code == 422
    too_much = await mesh.api.post(f"{ROOT}/apply", content=b"#" * (MAX_BODY_BYTES + 1))
    assert too_much.status_code == 413
    binary = await mesh.api.post(f"{ROOT}/apply", content=b"\xff\xfe\x00")
    assert (binary.status_code, binary.json()["error"]["message"][:9]) == (422, "not UTF-8")


async def test_authors_and_messages_are_kept_whatever_they_hold(mesh: Mesh):
    await mesh.apply(service(), author="☃ <b>", message="a\nb'\";--")

    (found,) = (await mesh.get("/revisions"))["revisions"]
    assert (found["author"], found["message"]) == ("☃ <b>", "a\nb'\";--")


async def test_a_proxy_is_shown_with_its_state_and_resources(mesh: Mesh):
    await mesh.apply(service())
    async with mesh.proxy() as proxy:
        await proxy.send(CDS)
        assert REVIEWS in names(await proxy.take())
        await proxy.send(LDS)
        await proxy.answer(await proxy.read(), error="no listener, please")
        await _until(mesh, "lds", "NACK")

        (found,) = (await mesh.get("/proxies"))["proxies"]
        assert (found["instance"], found["type"], found["protocol"]) == ("web-1.default", "sidecar", "delta")
        assert found["types"]["cds"]["state"] == "SYNCED"
        assert found["types"]["cds"]["acked"] == found["types"]["cds"]["version"]
        assert found["types"]["lds"]["error"] == "no listener, please"
        assert found["types"]["rds"]["state"] == "NOT SENT"
        shown = (await mesh.get("/proxies/web-1.default/config/clusters"))["resources"]
        assert REVIEWS in [c["name"] for c in shown]


async def test_private_keys_are_never_shown(mesh: Mesh):
    async with mesh.proxy() as proxy:
        await proxy.send(SDS, "default", "ROOTCA")
        found = await proxy.take()
        assert sorted(names(found)) == ["ROOTCA", "default"]

        answer = await mesh.get("/proxies/web-1.default/config/secrets")
        assert {tuple(sorted(one)) for one in answer["resources"]} == {("name", "version")}
        (held,) = (await mesh.get("/certs"))["workloads"]
        assert (held["instance"], held["valid"]) == ("web-1.default", True)


async def test_a_change_reaches_proxies_of_both_protocols(mesh: Mesh):
    async with (
        mesh.proxy(delta=True) as one,
        mesh.proxy(delta=False, node=NODE.replace("web", "cart")) as two,
    ):
        for proxy in (one, two):
            await proxy.send(CDS)
            assert REVIEWS not in names(await proxy.take())
        await mesh.apply(service())
        for proxy in (one, two):
            while REVIEWS not in names(await proxy.take()):
                pass


async def test_many_changes_at_once_are_few_pushes(mesh: Mesh):
    async with mesh.proxy() as proxy:
        await proxy.send(CDS)
        await proxy.take()
        for number in range(20):
            await mesh.apply(service(f"s{number}"))
        got: set[str] = set()
        pushes = 0
        while len(got) < 20:
            got |= {n for n in names(await proxy.take()) if n.startswith("outbound|9080||s")}
            pushes += 1

        assert pushes < 20


async def test_connected_sidecars_are_workloads_and_stay_for_a_while(mesh: Mesh):
    async with mesh.proxy() as proxy:
        made = request("DeltaDiscoveryRequest", type_url=CDS, node=NODE)
        made.node.metadata.update(
            {"LABELS": {"app": "reviews"}, "INBOUND": [{"port": 9080, "app_port": 9080}]}
        )
        await proxy.send_raw(made)
        await proxy.take()
        await mesh.apply(service())

        def workloads() -> list[str]:
            return [k.name for k in mesh.pilot.collection().by_key if k.kind == "Pod"]

        assert workloads() == ["web-1"]
    await asyncio.sleep(0.2)
    assert workloads() == ["web-1"]


async def _until(mesh: Mesh, short: str, state: str) -> None:
    async with asyncio.timeout(20):
        while True:
            (found,) = (await mesh.get("/proxies"))["proxies"]
            if found["types"][short]["state"] == state:
                return
            await asyncio.sleep(0.02)
