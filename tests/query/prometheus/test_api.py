"""The API over a real server: shapes, errors, and the calls that Grafana makes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from query.limits import Limits
from query.prometheus.api import router
from query.promql.memory import MemorySeries
from vigla.clock import SystemClock
from vigla.settings import QuerySettings
from vigla.telemetry.metrics import Metrics

BEGIN = 1_700_000_000
ONE = {"start": 0, "end": 1, "step": 1}


@pytest.fixture(scope="module")
def http(serving: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    series = MemorySeries()
    for instance in ("a", "b"):
        for minute in range(30):
            labels = (("__name__", "up"), ("instance", instance), ("job.name", "web"))
            series.append(labels, (BEGIN + 60 * minute) * 1000, float(minute))
    app = FastAPI()
    limits = Limits(QuerySettings(), Metrics())
    app.include_router(router(series, limits, SystemClock()))
    with serving(app) as url, httpx.Client(base_url=f"{url}/api/v1") as client:
        yield client
    limits.close()


def data(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "success"
    return body["data"]


def test_grafanas_health_check(http: httpx.Client) -> None:
    found = data(http.post("/query", data={"query": "1+1", "time": "4"}))
    assert found == {"resultType": "scalar", "result": [4, "2"]}


def test_an_instant_query(http: httpx.Client) -> None:
    found = data(http.get("/query", params={"query": 'up{instance="a"}', "time": BEGIN + 60.5}))
    metric = {"__name__": "up", "instance": "a", "job.name": "web"}
    assert found == {
        "resultType": "vector",
        "result": [{"metric": metric, "value": [BEGIN + 60.5, "1"]}],
    }


def test_a_range_query_takes_its_parameters_from_body_and_address(http: httpx.Client) -> None:
    form = {"query": "sum(up)", "start": str(BEGIN), "end": "2023-11-14T22:15:20Z"}
    found = data(http.post("/query_range?step=1m", data=form))
    assert found["resultType"] == "matrix"
    assert found["result"] == [
        {"metric": {}, "values": [[BEGIN, "0"], [BEGIN + 60, "2"], [BEGIN + 120, "4"]]}
    ]


def test_limits_cut_with_a_warning(http: httpx.Client) -> None:
    answer = http.get("/query", params={"query": "up", "time": BEGIN, "limit": 1})
    assert len(data(answer)["result"]) == 1
    assert answer.json()["warnings"] == ["results truncated due to limit"]


def test_notes_come_with_the_answer(http: httpx.Client) -> None:
    answer = http.get("/query", params={"query": "rate(up[5m])", "time": BEGIN + 300})
    (info,) = answer.json()["infos"]
    assert info.endswith('name does not end in _total/_sum/_count/_bucket: "up" (1:6)')


def test_labels_and_their_values(http: httpx.Client) -> None:
    assert data(http.get("/labels")) == ["__name__", "instance", "job.name"]
    assert data(http.get("/label/instance/values")) == ["a", "b"]
    assert data(http.get("/label/U__job_2e_name/values")) == ["web"]
    assert data(http.get("/label/instance/values", params={"match[]": 'up{instance!="a"}'})) == ["b"]
    assert data(http.get("/label/__name__/values", params={"limit": 40000})) == ["up"]
    assert data(http.get("/labels", params={"start": BEGIN - 1000, "end": BEGIN - 10})) == []


def test_series(http: httpx.Client) -> None:
    found = data(http.post("/series", data={"match[]": ['up{instance="b"}', "absent"]}))
    assert found == [{"__name__": "up", "instance": "b", "job.name": "web"}]


def test_queries_as_text_and_tree(http: httpx.Client) -> None:
    assert data(http.get("/format_query", params={"query": "sum  by(a)(b)"})) == "sum by (a) (b)"
    assert data(http.get("/parse_query", params={"query": "up"}))["type"] == "vectorSelector"


@pytest.mark.parametrize(
    ("path", "parameters", "status", "kind", "said"),
    [
        ("/query", {"query": "sum("}, 400, "bad_data", 'invalid parameter "query": 1:5: parse error: '),
        ("/query", {"query": "up", "time": "x"}, 400, "bad_data", 'cannot parse "x" to a valid timestamp'),
        ("/query", {"query": "up", "limit": "x"}, 400, "bad_data", 'invalid parameter "limit"'),
        ("/query", {"query": "topk(NaN, up)", "time": BEGIN}, 422, "execution", "Parameter value is NaN"),
        ("/query_range", {"query": "up"}, 400, "bad_data", 'invalid parameter "start"'),
        (
            "/query_range",
            {"query": "up", "start": 2, "end": 1, "step": 1},
            400,
            "bad_data",
            "end timestamp must not be before start time",
        ),
        (
            "/query_range",
            {"query": "up", "start": 0, "end": 1, "step": 0},
            400,
            "bad_data",
            "zero or negative",
        ),
        (
            "/query_range",
            {"query": "up", "start": 0, "end": 20000, "step": 1},
            400,
            "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries",
        ),
        (
            "/query_range",
            {"query": "'x'", "start": 0, "end": 1, "step": 1},
            400,
            "bad_data",
            "invalid expression type",
        ),
        (
            "/query_range",
            {"query": "up[1m]", "start": 0, "end": 1, "step": 1},
            400,
            "bad_data",
            "invalid expression",
        ),
        ("/series", {}, 400, "bad_data", "no match[] parameter provided"),
        ("/series", {"match[]": '{a=""}'}, 400, "bad_data", "at least one non-empty matcher"),
        ("/series", {"match[]": "up{"}, 400, "bad_data", 'invalid parameter "match[]": 1:4: parse error'),
        ("/query", {"query": "up", "timeout": "x"}, 400, "bad_data", "to a valid duration"),
    ],
)
def test_what_is_wrong_is_said(  # noqa: PLR0913, PLR0917  a table
    http: httpx.Client, path: str, parameters: dict[str, Any], status: int, kind: str, said: str
) -> None:
    answer = http.get(path, params=parameters)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["status"], body["errorType"]) == ("error", kind)
    assert said in body["error"]


def test_times_of_a_far_future_are_times(http: httpx.Client) -> None:
    far = str(BEGIN * 1000)  # Grafana sends milliseconds where seconds are meant
    assert data(http.get("/labels", params={"start": far, "end": far})) == []


def test_methods_that_are_not_served(http: httpx.Client) -> None:
    assert http.post("/label/a/values").status_code == 405
    assert http.put("/query").status_code == 405
