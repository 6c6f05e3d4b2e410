"""The Python client against a running server."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pandas as pd
import polars as pl
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse, JSONResponse

import vigla
from vigla.client import Connection, Unreachable
from vigla.errors import DeadlineExceeded, Overloaded, QueryError, ResultTooLarge, SettingsError, ViglaError

Serving = Callable[[FastAPI], AbstractContextManager[str]]

QUERY = "SELECT service, span_id, ts FROM spans ORDER BY ts"


@pytest.fixture
def connection(sql_url: str):
    with vigla.connect(sql_url) as opened:
        yield opened


def test_rows_are_python_values(connection: Connection):
    result = connection.sql(QUERY)
    assert len(result) == 4
    assert result.columns == ["service", "span_id", "ts"]
    assert result.rows()[1] == (
        "shop",
        2**62 + 1,
        dt.datetime(2026, 9, 21, 14, 13, 20, 123456, tzinfo=dt.UTC),
    )
    assert repr(result) == "Result(4 rows: service, span_id, ts)"


def test_arrow_pandas_and_polars_keep_nanoseconds(connection: Connection):
    result = connection.sql(QUERY)
    assert result.arrow().column("ts").cast("int64").to_pylist()[0] == 1_790_000_000_123_456_789
    assert isinstance(result.pandas(), pd.DataFrame)
    assert result.pandas()["ts"].iloc[0].value == 1_790_000_000_123_456_789
    assert isinstance(result.polars(), pl.DataFrame)
    assert result.polars()["ts"].dt.epoch("ns")[0] == 1_790_000_000_123_456_789


def test_no_rows(connection: Connection):
    assert connection.sql("FROM spans WHERE false").rows() == []


def test_schema(connection: Connection):
    assert [table["name"] for table in connection.schema()] == [
        "spans",
        "traces",
        "archived_spans",
        "access_logs",
        "series",
        "samples",
        "histograms",
        "exemplars",
        "metric_metadata",
    ]


def test_errors_are_those_of_the_server(connection: Connection):
    with pytest.raises(QueryError, match='no table "nope"'):
        connection.sql("FROM nope")
    with pytest.raises(ResultTooLarge, match="more than 2 rows"):
        connection.sql("FROM spans", max_rows=2)
    with pytest.raises(DeadlineExceeded):
        connection.sql(
            "SELECT count(*) FROM range(9999999) a, range(9999999) b WHERE (a.range + b.range) % 7 = 1",
            timeout_s=0.2,
        )


def test_overload_carries_its_delay(serving: Serving):
    app = FastAPI()
    body = {"error": {"code": "Overloaded", "message": "busy"}}
    app.post("/api/vigla/v1/sql")(lambda: JSONResponse(body, 429, {"Retry-After": "7"}))
    with serving(app) as url, vigla.connect(url) as connection, pytest.raises(Overloaded) as caught:
        connection.sql("SELECT 1")
    assert caught.value.retry_after_s == 7.0


@pytest.mark.parametrize(
    "answer", [HTMLResponse("<h1>hello</h1>"), HTMLResponse("<h1>no</h1>", 502), JSONResponse({}, 500)]
)
def test_a_server_that_is_not_vigla(serving: Serving, answer: Response):
    app = FastAPI()
    app.post("/api/vigla/v1/sql")(lambda: answer)
    with serving(app) as url, vigla.connect(url) as connection, pytest.raises(Unreachable):
        connection.sql("SELECT 1")


def test_no_server():
    with (
        vigla.connect("http://127.0.0.1:9") as connection,
        pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"),
    ):
        connection.sql("SELECT 1")
    with pytest.raises(ViglaError), vigla.connect("no url") as connection:
        connection.sql("SELECT 1")
    with pytest.raises(SettingsError):
        vigla.connect("http://host:port")
