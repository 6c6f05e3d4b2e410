"""The access log API: every filter, the order, pages, errors."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from query.server import create_app
from tests.wire.access_log_messages import START_S, http_entries, identified
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.access_logs.admit import admit
from vigla.wire.access_logs.decode import AccessLogDecoder

PATH = "/api/vigla/v1/access-logs"
RANGE = {"start": START_S * 10**6, "end": (START_S + 60) * 10**6}
COUNT = 30
INSTANT = 5  # entries 100..104 start at one instant


@pytest.fixture(scope="module")
def http(serving: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    store = MemoryStore(DEFAULT_PROMOTED)
    message = http_entries(0, COUNT, into=identified("sidecar~1"))
    message.http_logs.log_entry[7].request.request_method = 3
    for number in range(100, 100 + INSTANT):
        http_entries(number, 1, into=message)
        entry = message.http_logs.log_entry[-1]
        entry.common_properties.start_time.nanos = 100_000_000
        entry.common_properties.upstream_cluster = "inbound|9080||"
        entry.common_properties.custom_tags["destination_service"] = "cart.shop"
        entry.common_properties.route_name = "cart"
    rows = AccessLogDecoder().decode([admit(message.SerializeToString(), b"").record])
    store.buffer({"access_logs": rows}, {})
    app = create_app(store, DEFAULT_PROMOTED, QuerySettings(), Metrics(), SystemClock())
    with serving(app) as url, httpx.Client(base_url=url) as client:
        yield client
    store.close()


def ask(http: httpx.Client, **filters: Any) -> list[str]:
    answer = http.get(PATH, params=RANGE | filters)
    assert answer.status_code == 200, answer.text
    return [entry["request_id"] for entry in answer.json()["entries"]]


def test_newest_first(http: httpx.Client) -> None:
    found = ask(http)
    assert found[INSTANT:] == [f"r{n}" for n in reversed(range(COUNT))]
    assert set(found[:INSTANT]) == {f"r{n}" for n in range(100, 100 + INSTANT)}


def test_an_entry_has_what_is_not_null(http: httpx.Client) -> None:
    entry = http.get(PATH, params=RANGE | {"request_id": "r2"}).json()["entries"][0]
    assert entry["ts"] == "2026-09-21T14:13:20.002000007Z"
    assert (entry["status"], entry["flags"], entry["dur"]) == (503, ["UF", "URX"], 1_000_002)
    assert (entry["reporter"], entry["node"]) == ("source", "sidecar~1")
    assert entry["service"] == "reviews.shop.svc.cluster.local"
    assert entry["request_headers"]["traceparent"].startswith("00-")
    assert "sni" not in entry


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"source": "productpage", "limit": 1}, [100]),
        ({"source": "nobody"}, []),
        ({"destination": "reviews-v1", "service": "reviews"}, range(28, -1, -2)),
        ({"namespace": "front", "status": 503, "service": "reviews.shop"}, range(29, -1, -3)),
        ({"namespace": "elsewhere"}, []),
        ({"service": "cart"}, range(100, 105)),
        ({"service": "car"}, []),
        ({"status_class": "5xx", "service": "reviews"}, range(29, -1, -3)),
        ({"status_class": "4xx"}, []),
        ({"flag": "URX", "service": "reviews"}, range(29, -1, -3)),
        ({"flag": "UR"}, []),
        ({"method": "POST"}, [7]),
        ({"path_prefix": "/reviews/2", "service": "reviews"}, [*range(29, 19, -1), 2]),
        ({"route": "cart"}, range(100, 105)),
        ({"reporter": "destination"}, range(100, 105)),
        ({"trace_id": f"{5:032x}"}, [4]),
        ({"min_duration": 1001}, []),
        ({"end": START_S * 10**6 + 3000}, [3, 2, 1, 0]),
        ({"start": START_S * 10**6 + 28_000, "service": "reviews"}, [29, 28]),
    ],
)
def test_filters(http: httpx.Client, filters: dict[str, Any], numbers: Any) -> None:
    assert ask(http, **filters) == [f"r{n}" for n in numbers]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 35, 100])
def test_pages_give_every_entry_once(http: httpx.Client, limit: int) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = http.get(PATH, params=RANGE | {"limit": limit, "cursor": cursor}).json()
        found += [entry["request_id"] for entry in page["entries"]]
        assert len(page["entries"]) <= limit
        if page["next"] is None:
            break
        cursor = page["next"]
    assert found == ask(http)


@pytest.mark.parametrize("filters", [{"cursor": "x"}, {"status_class": "6xx"}])
def test_wrong_values(http: httpx.Client, filters: dict[str, str]) -> None:
    answer = http.get(PATH, params=RANGE | filters)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadInput")


@pytest.mark.parametrize("filters", [{"limit": 0}, {"limit": 1001}, {"start": -1}, {"colour": "red"}])
def test_wrong_parameters(http: httpx.Client, filters: dict[str, Any]) -> None:
    assert http.get(PATH, params=RANGE | filters).status_code == 422


def test_sql_sees_the_table(http: httpx.Client) -> None:
    query = "SELECT count(*) FROM access_logs WHERE list_contains(flags, 'UF') AND service LIKE 'reviews%'"
    assert http.post("/api/vigla/v1/sql", json={"query": query}).json()["rows"] == [[10]]
