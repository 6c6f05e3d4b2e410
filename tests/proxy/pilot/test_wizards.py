"""The wizards' API against a real pilot: forms, previews, applying and undoing."""

from pathlib import Path
from typing import Any

from tests.proxy.pilot.mesh import ROOT, Mesh, routes, running, service

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: reviews-{0}, labels: {{app: reviews, version: {0}}}}}
spec: {{containers: [{{name: a}}]}}
status: {{podIP: 10.0.0.{1}}}
---
"""
PODS = POD.format("v1", 1) + POD.format("v2", 2)
WHERE = {"namespace": "default", "service": "reviews"}


async def previewed(mesh: Mesh, kind: str, values: Any, status: int = 200) -> Any:
    answer = await mesh.api.post(f"{ROOT}/wizards/{kind}", json={**WHERE, "values": values})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_change_is_shown_applied_and_undone(mesh: Mesh):
    await mesh.apply(service() + PODS)
    found = await mesh.get("/wizards", **WHERE)
    assert found["versions"] == ["v1", "v2"]
    assert (found["host"], found["virtual_service"]) == ("reviews.default.svc.cluster.local", "")
    assert found["wizards"]["traffic-shifting"]["values"]["weights"] == {"v1": 50, "v2": 50}

    shown = await previewed(mesh, "traffic-shifting", {"weights": {"v1": 80, "v2": 20}})
    assert shown["objects"] == ["VirtualService default/reviews", "DestinationRule default/reviews"]
    assert [m for m in shown["messages"] if m["level"] == "Error"] == []
    assert shown["problems"] == []
    assert "+      weight: 80" in shown["diff"]
    assert shown["diff"].startswith("--- /dev/null")

    before = await mesh.number()
    made = await mesh.apply(shown["yaml"], message="shift 20 % to v2")
    assert made["revision"]["number"] == before + 1
    then = await mesh.get("/wizards", service="reviews.default.svc.cluster.local", namespace="default")
    assert then["wizards"]["traffic-shifting"]["values"]["weights"] == {"v1": 80, "v2": 20}
    again = await previewed(mesh, "traffic-shifting", {"weights": {"v1": 80, "v2": 20}})
    assert (again["yaml"], again["diff"], again["objects"]) == ("", "", [])

    undone = await mesh.api.post(f"{ROOT}/revisions/{before}/rollback")
    assert undone.status_code == 200
    assert (await mesh.get("/wizards", **WHERE))["virtual_service"] == ""


async def test_what_was_written_by_hand_is_the_beginning_of_a_diff(mesh: Mesh):
    await mesh.apply(service() + PODS + routes())
    found = await mesh.get("/wizards", **WHERE)
    assert found["virtual_service"] == "default/reviews"
    assert found["wizards"]["timeouts"]["values"] == {"timeout": "2s", "retries": None}
    shown = await previewed(mesh, "timeouts", {"timeout": "5s"})
    changed = [line for line in shown["diff"].splitlines() if line.startswith(("-  ", "+  "))]
    assert sorted(changed) == ["+  - timeout: 5s", "+  namespace: default", "-  - timeout: 2s"]


async def test_mistakes_are_told_at_their_field(mesh: Mesh):
    await mesh.apply(service() + PODS)
    told = await previewed(mesh, "fault-injection", {"delay": {"percent": 500, "duration": "7"}}, 422)
    assert [each["field"] for each in told["fields"]] == ["delay.percent", "delay.duration"]
    assert "with its unit" in told["fields"][1]["message"]
    told = await previewed(mesh, "traffic-shifting", {"weights": {"v9": 100}}, 422)
    assert "no workload of reviews has version v9" in told["error"]["message"]
    answer = await mesh.api.post(f"{ROOT}/wizards/magic", json={**WHERE, "values": {}})
    assert answer.status_code == 422
    answer = await mesh.api.get(f"{ROOT}/wizards", params={**WHERE, "service": "lost"})
    assert answer.status_code == 404


async def test_several_objects_are_a_problem_of_every_wizard(tmp_path: Path):
    async with running(tmp_path / "mesh") as mesh:
        await mesh.apply(service() + PODS + routes() + routes("other"))
        found = await mesh.get("/wizards", **WHERE)
        assert all("several VirtualService" in each["problem"] for each in found["wizards"].values())
        told = await previewed(mesh, "timeouts", {}, 422)
        assert "default/other" in told["error"]["message"]


async def test_a_service_without_versions_says_what_is_missing(mesh: Mesh):
    await mesh.apply(service())
    found = (await mesh.get("/wizards", **WHERE))["wizards"]
    for kind in ("fault-injection", "timeouts", "mirroring", "circuit-breaker"):
        assert (await previewed(mesh, kind, {}))["yaml"] == "", "nothing asked for, nothing made"
    assert "label version" in found["traffic-shifting"]["problem"]
    assert found["fault-injection"]["values"] == {"delay": None, "abort": None, "when": None}
