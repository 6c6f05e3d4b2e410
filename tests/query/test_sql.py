"""SQL over HTTP: bodies, formats, bounds, errors."""

import io
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from query.sql_formats import encoded
from vigla.model.samples import SAMPLE_TABLES

PATH = "/api/vigla/v1/sql"

VALUES = """SELECT 9007199254740993 AS big, -1 AS small, 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS low,
    12345678901234567890.123 AS long, 1.5 AS short, sum(3) AS total,
    TIMESTAMP_NS '2026-11-22 10:00:00.123456789' AS ns, TIMESTAMPTZ '2026-11-22 10:00:00+02' AS zoned,
    DATE '2026-11-22' AS day, TIME '10:00:00' AS hour, INTERVAL '1 month 2 days 3.5 seconds' AS gap,
    'ab'::BLOB AS raw, [1, NULL] AS list, {'at': TIMESTAMP_NS '2026-11-22 10:00:00.000000001'} AS struct,
    MAP {'k': 9007199254740993} AS map, NULL AS nothing, 'a,"b"' AS quoted, true AS yes"""


@pytest.fixture(scope="module")
def http(sql_url: str):
    with httpx.Client(base_url=sql_url) as client:
        yield client


def ask(http: httpx.Client, query: str, **options: Any) -> httpx.Response:
    return http.post(PATH, json={"query": query} | options.pop("body", {}), **options)


def test_json_says_columns_rows_and_count(http: httpx.Client):
    answer = ask(
        http, "SELECT service, count(*) AS n, max(ts) AS newest FROM spans GROUP BY ALL ORDER BY service"
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "columns": [
            {"name": "service", "type": "string"},
            {"name": "n", "type": "int64"},
            {"name": "newest", "type": "timestamp[ns]"},
        ],
        "rows": [
            ["bank", 2, "2026-09-21T14:13:20.123456791Z"],
            ["shop", 2, "2026-09-21T14:13:20.123456792Z"],
        ],
        "row_count": 2,
    }


def test_json_renders_every_kind_of_value(http: httpx.Client):
    answer = ask(http, VALUES).json()
    names = [column["name"] for column in answer["columns"]]
    assert dict(zip(names, answer["rows"][0], strict=True)) == {
        "big": "9007199254740993",
        "small": -1,
        "nan": "NaN",
        "low": "-Infinity",
        "long": "12345678901234567890.123",
        "short": 1.5,
        "total": 3,
        "ns": "2026-11-22T10:00:00.123456789Z",
        "zoned": "2026-11-22T08:00:00.000000Z",
        "day": "2026-11-22",
        "hour": "10:00:00.000000",
        "gap": "P1M2DT3.5S",
        "raw": "YWI=",
        "list": [1, None],
        "struct": {"at": "2026-11-22T10:00:00.000000001Z"},
        "map": [{"key": "k", "value": "9007199254740993"}],
        "nothing": None,
        "quoted": 'a,"b"',
        "yes": True,
    }


def test_csv_has_a_header_and_crlf(http: httpx.Client):
    answer = ask(http, "SELECT 1 AS a, 'x,\"y' AS b, [1] AS c, NULL AS d", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == '"a","b","c","d"\r\n1,"x,""y","[1]",\r\n'


@pytest.mark.parametrize("form", ["json", "csv", "arrow", "parquet"])
@pytest.mark.parametrize("query", [VALUES, "SELECT 1 AS a, 2 AS a", "FROM spans WHERE false", "FROM spans"])
def test_every_format_takes_every_value(http: httpx.Client, form: str, query: str):
    assert ask(http, query, params={"format": form}).status_code == 200


def test_arrow_and_parquet_keep_types(http: httpx.Client):
    query = "SELECT span_id, ts, service, kind FROM spans ORDER BY ts"
    arrow = pa.ipc.open_stream(
        ask(http, query, headers={"Accept": "application/vnd.apache.arrow.stream"}).content
    ).read_all()
    assert arrow.column("span_id").to_pylist()[0] == 2**62
    assert arrow.schema.field("ts").type == pa.timestamp("ns")
    parquet = pa.parquet.read_table(
        io.BytesIO(ask(http, query, headers={"Accept": "application/vnd.apache.parquet"}).content)
    )
    assert parquet.column("ts").equals(arrow.column("ts"))


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml;q=0.9", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("text/csv;q=0.2, application/vnd.apache.parquet;q=0.7", "application/vnd.apache.parquet"),
        ("text/csv;q=x", "text/csv"),
    ],
)
def test_format_by_accept_header(http: httpx.Client, accept: str, given: str):
    assert ask(http, "SELECT 1", headers={"Accept": accept}).headers["content-type"].startswith(given)


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "application/sql"])
def test_query_as_the_body(http: httpx.Client, kind: str):
    answer = http.post(PATH, content="SELECT 'ü'", headers={"Content-Type": kind}, params={"max_rows": "1"})
    assert answer.json()["rows"] == [["ü"]]


@pytest.mark.parametrize(
    ("query", "body", "kind", "said"),
    [
        ("SELECT missing FROM spans", {}, (400, "QueryError"), "missing"),
        (
            "FROM 'x.parquet'",
            {},
            (400, "QueryError"),
            "the tables are access_logs, archived_spans, exemplars, histograms, metric_metadata, samples,",
        ),
        ("DROP TABLE spans", {}, (400, "QueryError"), "only SELECT"),
        ("SELECT 'x'::INT", {}, (400, "QueryError"), "Could not convert"),
        ("FROM range(1001)", {}, (413, "ResultTooLarge"), "1,000 rows"),
        ("FROM range(11)", {"max_rows": 10}, (413, "ResultTooLarge"), "10 rows"),
        ("FROM range(2000)", {"max_rows": 2000}, (413, "ResultTooLarge"), "1,000 rows"),
        (
            "SELECT count(*) FROM range(9999999) a, range(9999999) b WHERE (a.range + b.range) % 7 = 1",
            {"timeout_s": 0.2},
            (504, "DeadlineExceeded"),
            "deadline",
        ),
        ("SELECT 1", {"timeout_s": -1}, (400, "BadInput"), "timeout_s"),
        ("SELECT 1", {"unknown": 1}, (400, "BadInput"), "unknown"),
    ],
)
def test_errors_have_one_shape(
    http: httpx.Client, query: str, body: dict[str, Any], kind: tuple[int, str], said: str
):
    answer = ask(http, query, body=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == kind
    assert said in error["message"]
    assert set(answer.json()) == {"error"}


def test_bodies_that_are_refused(http: httpx.Client):
    assert http.post(PATH, content=b"{").status_code == 400
    assert http.post(PATH, content=b"\xff", headers={"Content-Type": "text/plain"}).status_code == 400
    assert http.post(PATH, data={"query": "SELECT 1"}).status_code == 415
    assert http.post(PATH, content=b" " * 2_000_000).status_code == 413
    assert ask(http, "SELECT 1", params={"format": "xml"}).status_code == 400


def test_schema_describes_what_sql_can_read(http: httpx.Client):
    tables = {table["name"]: table["columns"] for table in http.get("/api/vigla/v1/schema").json()["tables"]}
    assert set(tables) == {"spans", "traces", "archived_spans", "access_logs", *SAMPLE_TABLES}
    for name, columns in tables.items():
        described = ask(http, f"DESCRIBE {name}").json()["rows"]
        assert [(c["name"], c["type"]) for c in columns] == [(row[0], row[1]) for row in described]
        assert all(column["description"] for column in columns)
    functions = http.get("/api/vigla/v1/schema").json()["functions"]
    assert {"count", "quantile_cont", "json_extract"} <= set(functions)
    assert "->>" not in functions


def test_large_answers_come_in_chunks():
    table = pa.table({"n": range(50_000)})
    chunks = list(encoded(table, "json"))
    assert max(map(len, chunks)) < 100_000
    assert b"".join(chunks).endswith(b'],"row_count":50000}')
    assert pa.csv.read_csv(io.BytesIO(b"".join(encoded(table, "csv")))).equals(table)
