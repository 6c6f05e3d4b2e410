"""Grafana's dashboards: as generated, and each panel with data on a real mesh."""

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import yaml

from scripts.dashboards.writing import FOLDER, made
from tests.e2e.mesh.mesh import Mesh, eventually, running

QUICK = {"VIGLA_SCRAPE__INTERVAL_S": "2", "VIGLA_INGESTER__DERIVED_INTERVAL_S": "2"}
DASHBOARDS = {name: json.loads(text) for name, text in made().items()}
CHOICE = re.compile(r"label_values\((.+), (\w+)\)")
CHOSEN = {"service": "echo.default.svc.cluster.local", "namespace": "default", "workload": "client-v1"}
"""What is chosen where it is offered; a workload that both gets and makes calls."""


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """All but the rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_the_files_are_what_is_generated() -> None:
    written = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    assert written == made(), "run python -m scripts.dashboards"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_places_and_the_chosen_source(name: str) -> None:
    dashboard = DASHBOARDS[name]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    for panel in panels(dashboard):
        assert panel["targets"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_data_sources_are_named_as_dashboards_and_links_expect() -> None:
    text = (FOLDER.parent / "provisioning" / "datasources" / "vigla.yaml").read_text()
    sources = {source["uid"]: source for source in yaml.safe_load(text)["datasources"]}
    linked = sources["vigla-metrics"]["jsonData"]["exemplarTraceIdDestinations"][0]["datasourceUid"]
    assert sources[linked]["type"] == "jaeger"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Prometheus' API of a mesh with traffic: requests that succeed, requests that fail, TCP."""
    with running(tmp_path_factory.mktemp("dashboards"), QUICK) as mesh, ThreadPoolExecutor(1) as pool:
        stop = threading.Event()
        pool.submit(_traffic, mesh, stop)
        try:
            with httpx.Client(base_url=mesh.server.query_url, timeout=30) as client:
                yield client
        finally:
            stop.set()


def _traffic(mesh: Mesh, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        mesh.call()
        mesh.call(headers={"x-fail": "1", "x-key": str(time.monotonic())})
        mesh.call("http://client:8000/")  # calls itself: so its workload is on both sides
        mesh.line(9000)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_has_data(api: httpx.Client, name: str) -> None:
    chosen: dict[str, str] = {}
    for variable in DASHBOARDS[name]["templating"]["list"]:
        if variable["type"] == "query":
            wanted = CHOSEN[variable["name"]]
            assert eventually(lambda v=variable, w=wanted: w in _offered(api, v["query"], chosen), 60)  # type: ignore[misc]
            chosen[variable["name"]] = wanted
    for panel in panels(DASHBOARDS[name]):
        for target in panel["targets"]:
            query = _filled(target["expr"], chosen)
            assert eventually(lambda q=query: _found(api, q), 60), f"{panel['title']}: {query}"  # type: ignore[misc]


def _offered(api: httpx.Client, query: str, chosen: dict[str, str]) -> list[str]:
    """As Grafana asks for the values of ``label_values(selector, label)``."""
    found = CHOICE.fullmatch(query)
    assert found
    selector, label = found.groups()
    answer = api.get(f"/api/v1/label/{label}/values", params={"match[]": _filled(selector, chosen)})
    values: list[str] = answer.raise_for_status().json()["data"]
    return values


def _found(api: httpx.Client, query: str) -> bool:
    """Whether the query has a number, and no NaN: that draws nothing."""
    answer = api.post("/api/v1/query", data={"query": query})
    assert answer.status_code == 200, answer.text
    result = answer.json()["data"]["result"]
    return any(series["value"][1] != "NaN" for series in result)


def _filled(expression: str, chosen: dict[str, str]) -> str:
    """As Grafana fills in what begins with a dollar sign."""
    filled = expression.replace("$__rate_interval", "20s")
    for name, value in chosen.items():
        filled = filled.replace(f"${name}", re.escape(value).replace("\\", "\\\\"))
    assert "$" not in filled
    return filled
