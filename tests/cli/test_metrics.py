"""``vigla metrics``: against the API over a real server."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from query.limits import Limits
from query.prometheus.api import router
from query.promql.memory import MemorySeries
from vigla.cli.main import app
from vigla.cli.metrics_text import number, selector, sparkline
from vigla.client import Unreachable
from vigla.clock import SystemClock
from vigla.errors import QueryError
from vigla.settings import QuerySettings
from vigla.telemetry.metrics import Metrics

BEGIN = 1_700_000_000
RANGE = ("--start", str(BEGIN), "--end", str(BEGIN + 7 * 60), "--step", "1m")


@pytest.fixture(scope="module")
def url(serving: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[str]:
    series = MemorySeries()
    for job in ("a", 'b"b'):
        for minute in range(8):
            labels = (("__name__", "up"), ("job", job))
            series.append(labels, (BEGIN + 60 * minute) * 1000, float(minute))
    server = FastAPI()
    limits = Limits(QuerySettings(), Metrics())
    server.include_router(router(series, limits, SystemClock()))
    with serving(server) as address:
        yield address
    limits.close()


def run(url: str, command: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["metrics", command, *arguments, "--url", url], terminal_width=200)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_an_instant_query(url: str) -> None:
    assert 'up{job="a"}  7' in run(url, "query", 'up{job="a"}', "--time", str(BEGIN + 420))
    assert run(url, "query", "1+1").split() == ["scalar", "2"]
    answer = json.loads(run(url, "query", "count(up)", "--time", str(BEGIN), "-o", "json"))
    assert answer["result"][0]["value"] == [BEGIN, "2"]


def test_a_range_is_a_line_with_its_bounds(url: str) -> None:
    output = run(url, "range", 'up{job="a"}', *RANGE)
    assert "▁▂▃▄▅▆▇█" in output
    assert output.splitlines()[-1].split()[-3:] == ["0", "7", "7"]


def test_labels_and_series(url: str) -> None:
    assert run(url, "labels").split() == ["label", "__name__", "job"]
    assert run(url, "labels", "job", "--match", 'up{job="a"}').split() == ["job", "a"]
    assert r'up{job="b\"b"}' in run(url, "series", "up")


def test_errors_are_the_servers(url: str) -> None:
    with pytest.raises(QueryError, match="parse error"):
        run(url, "query", "sum(")
    with pytest.raises(QueryError, match="write 15s"):
        run(url, "range", "up", "--step", "often")
    with pytest.raises(Unreachable):
        run("http://127.0.0.1:1", "query", "up")


def test_notes_are_told(url: str) -> None:
    assert "might not be a counter" in run(url, "query", "rate(up[5m])", "--time", str(BEGIN + 400))


def test_a_line_has_gaps_and_takes_the_greatest() -> None:
    assert sparkline([0.0, float("nan"), 7.0]) == "▁ █"
    assert sparkline([1.0] * 3) == "▁▁▁"
    assert sparkline([0, 9, 0, 0], width=2) == "█▁"
    assert sparkline([]) == ""


def test_series_as_promql_writes_them() -> None:
    assert selector({"__name__": "up"}) == "up"
    assert selector({}) == "{}"
    assert selector({"a": "1", "b": "\n"}) == r'{a="1", b="\n"}'
    assert number(1234567.0) == "1.23457e+06"
