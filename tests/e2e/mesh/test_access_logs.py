"""Every request is in the access logs exactly once on each side, with what decided it."""

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyarrow as pa
import pytest

from tests.e2e.mesh.mesh import Mesh, eventually, running
from tests.e2e.mesh.objects import destination_rule, to, virtual_service
from vigla.client import connect

REQUESTS = 10_000
CONNECTIONS = 4
RULES = (
    {
        "name": "broken",
        "match": [{"headers": {"x-kind": {"exact": "broken"}}}],
        "fault": {"abort": {"httpStatus": 418, "percentage": {"value": 100}}},
        "route": [to("v1")],
    },
    {"name": "new", "match": [{"headers": {"x-kind": {"exact": "new"}}}], "route": [to("v2")]},
    {"name": "rest", "route": [to("v1")]},
)
OBJECT = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/test-echo"
ROWS = """
SELECT reporter, request_id, source_workload, source_namespace, destination_workload, destination_namespace,
    service, route, virtual_service, rule, status, array_to_string(flags, ',') AS flags
FROM access_logs WHERE request_id LIKE 'count-%'
"""


def kind(number: int) -> str:
    return "broken" if number % 10 == 0 else "new" if number % 10 < 4 else "rest"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    limits = {"VIGLA_QUERY__SQL_MAX_ROWS": str(4 * REQUESTS), "VIGLA_INGESTER__DERIVED_INTERVAL_S": "0.5"}
    limits["VIGLA_SCRAPE__INTERVAL_S"] = "1"
    with running(tmp_path_factory.mktemp("logs"), limits) as made:
        yield made


def send(mesh: Mesh, numbers: range) -> Counter[int]:
    """These requests over one connection; their statuses."""
    where = httpx.URL(mesh.environment["http_proxy"])
    connection = http.client.HTTPConnection(where.host, where.port or 0, timeout=15)
    statuses: Counter[int] = Counter()
    for number in numbers:
        headers = {"x-request-id": f"count-{number}", "x-kind": kind(number)}
        connection.request("GET", "http://echo:8000/", headers=headers)
        response = connection.getresponse()
        response.read()
        statuses[response.status] += 1
    connection.close()
    return statuses


def rows(mesh: Mesh) -> pa.Table:
    """The entries of the run, once no more come."""
    with connect(mesh.server.query_url) as client:
        before = -1
        while (found := client.sql(ROWS).arrow()).num_rows != before:
            before = found.num_rows
            time.sleep(2)
        return found


def test_every_request_of_a_long_run_is_logged_once(mesh: Mesh) -> None:
    with mesh.applied(destination_rule(), virtual_service(*RULES)):
        eventually(lambda: mesh.call(headers={"x-kind": "broken"}).status == 418)
        eventually(lambda: mesh.call(headers={"x-kind": "new"}).version == "v2")
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            parts = pool.map(lambda n: send(mesh, range(n, REQUESTS, CONNECTIONS)), range(CONNECTIONS))
            statuses = sum(parts, Counter())
        assert statuses == {418: REQUESTS // 10, 200: REQUESTS - REQUESTS // 10}
        found = rows(mesh).to_pylist()

    for reporter, kinds in (("source", {"broken", "new", "rest"}), ("destination", {"new", "rest"})):
        ids = Counter(row["request_id"] for row in found if row["reporter"] == reporter)
        assert ids == {f"count-{n}": 1 for n in range(REQUESTS) if kind(n) in kinds}, reporter
    assert [row for row in found if row != expected(row)] == []
    eventually(lambda: counted(mesh) >= len(found))


def counted(mesh: Mesh) -> float:
    """Requests in Istio's metric, which counts all entries, also those of the calls before the run."""
    query = {"query": "sum(istio_requests_total{destination_service_name='echo'})"}
    answer = httpx.get(f"{mesh.server.query_url}/api/v1/query", params=query).json()
    return sum(float(element["value"][1]) for element in answer["data"]["result"])


def expected(row: dict[str, object]) -> dict[str, object]:
    """What an entry must say, by its reporter and the number of its request."""
    what = kind(int(str(row["request_id"]).removeprefix("count-")))
    made = row | {
        "source_workload": "client-v1",
        "source_namespace": "default",
        "service": "echo.default.svc.cluster.local",
        "status": 418 if what == "broken" else 200,
        "flags": "FI" if what == "broken" else "",
    }
    if what != "broken":  # an aborted request reaches no workload
        workload = "echo-v2" if what == "new" else "echo-v1"
        made |= {"destination_workload": workload, "destination_namespace": "default"}
    if row["reporter"] == "source":
        index = ("broken", "new", "rest").index(what)
        made |= {"route": what, "virtual_service": OBJECT, "rule": f"http[{index}]"}
    return made


def test_proxies_are_scraped_without_what_their_logs_count(mesh: Mesh) -> None:
    with httpx.Client(base_url=mesh.server.query_url) as api:

        def series(selector: str) -> list[dict[str, str]]:
            answer = api.get("/api/v1/series", params={"match[]": selector})
            found: list[dict[str, str]] = answer.json()["data"]
            return found

        eventually(lambda: len(series('envoy_server_live{job="envoy"}')) >= 2)
        scraped = {each["pod"] for each in series('up{job="envoy", namespace="default"}')}
        with connect(mesh.server.query_url) as client:
            logged = client.sql("SELECT DISTINCT destination_workload FROM access_logs").rows()
        assert all(any(pod.startswith(name) for pod in scraped) for (name,) in logged if name), scraped
        assert series('istio_requests_total{job="envoy"}') == []
        assert series('{__name__=~"istio_.+", job!="envoy"}')
