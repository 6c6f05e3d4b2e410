"""What a user's SQL may and may not do, against the real engine."""

from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigla.errors import QueryError
from vigla.storage.sandbox import check, harden
from vigla.storage.sandbox_functions import FUNCTIONS, TABLE_FUNCTIONS

TABLES = frozenset({"spans", "traces"})

ANALYTICS = [
    "SELECT 1",
    "VALUES (1, 'a'), (2, 'b')",
    "FROM spans",
    "TABLE spans",
    "SELECT * FROM SPANS AS s WHERE s.service = 'a'",
    'SELECT count(*) FROM "spans";',
    "SELECT 1 -- ; DROP TABLE spans",
    "SELECT 1 /* ; COPY */ ;",
    "SELECT service, quantile_cont(dur, 0.99) AS p99 FROM spans GROUP BY ALL ORDER BY p99 DESC LIMIT 5",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY dur) FROM spans",
    "SELECT time_bucket(INTERVAL 1 minute, ts) t, max(dur) FROM spans WHERE ts > now()::TIMESTAMP GROUP BY t",
    "SELECT row_number() OVER (PARTITION BY service ORDER BY ts) AS n FROM spans QUALIFY n = 1",
    "SELECT lag(dur) OVER w FROM spans WINDOW w AS (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "SELECT attrs ->> '$.\"http.method\"', attrs -> 'a', json_extract_string(attrs, '$.b') FROM spans",
    "SELECT list_transform([1, 2], lambda x: x + 1), [x * 2 FOR x IN [1, 2] IF x > 1]",
    "SELECT unnest(services) FROM traces",
    "SELECT * FROM unnest([1, 2]) AS t(x)",
    "SELECT * FROM range(10) t(i), generate_series(1, 3) g(j)",
    "SELECT e.value FROM spans, json_each(events) AS e",
    "SELECT * FROM spans s ASOF JOIN traces t ON s.service = t.root_service AND s.ts >= t.ts",
    "SELECT * FROM traces t, LATERAL (SELECT count(*) FROM spans s WHERE s.trace_id = t.trace_id) c",
    "SELECT * FROM spans WHERE trace_id IN (SELECT trace_id FROM traces) AND EXISTS (FROM traces)",
    "WITH a AS (FROM spans), b AS (SELECT name FROM a) FROM b UNION ALL SELECT root_service FROM traces",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
    "WITH spans AS (SELECT 1 AS x) SELECT x FROM spans",
    "SELECT * EXCLUDE (attrs) REPLACE (dur / 1e6 AS dur) FROM spans USING SAMPLE 10",
    "SELECT columns('t.*') FROM traces",
    "PIVOT spans ON kind IN (1, 2) USING count(*) GROUP BY service",
    "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b INTO NAME k VALUE v",
    "DESCRIBE spans",
    "SUMMARIZE traces",
    "SELECT CASE WHEN dur > 1 THEN 'slow' END, dur BETWEEN 1 AND 2, name ILIKE 'a%', try(1 / 0) FROM spans",
    "SELECT service.lower().upper() FROM spans",
    "SELECT count(*) FILTER (WHERE status_code = 2) FROM spans GROUP BY CUBE (service, name)",
    "SELECT {'a': 1}.a, MAP {'k': 1}['k'], [1, 2, 3][1:2], DATE '2026-01-01', 1::DECIMAL(3, 1), 'x'::VARCHAR",
    "SELECT service FROM spans INTERSECT SELECT root_service FROM traces EXCEPT SELECT 'x' ORDER BY ALL",
    "SELECT DISTINCT ON (service) service, ts FROM spans ORDER BY ts LIMIT 10%",
    "SELECT 'naïve ünïcode', \"dur\" FROM spans",
    "SELECT printf('%016x', dur), lpad(service, 10, ' '), format('{:.3f} {}', 1.5, name) FROM spans",
    "SELECT unnest(range(10)), repeat('-', 20), list_resize([1], 3, 0)",
    "SELECT * FROM range(1000000000) LIMIT 1",
]

TOO_LARGE = [
    "SELECT repeat('x', 1000000000)",
    "SELECT repeat('x', dur) FROM spans",
    "SELECT repeat('x', 1000 * 1000000)",
    "SELECT service.repeat(1000000000) FROM spans",
    "SELECT lpad(service, 1000000000, 'x') FROM spans",
    "SELECT rpad('x', dur::INT, 'x') FROM spans",
    "SELECT range(1000000000)",
    "SELECT generate_series(0, 1000000000)",
    "SELECT unnest(range(dur)) FROM spans",
    "SELECT list_resize([1], 1000000000)",
    "SELECT bitstring('1', 1000000000)",
    "SELECT printf('%1000000000d', 1)",
    "SELECT printf('%*d', 1000000000, 1)",
    "SELECT format('{:1000000000}', 1)",
    "SELECT format('{:{}}', 1, 1000000000)",
    "SELECT format(service, 1) FROM spans",
    "SELECT format()",
]

ATTACKS = [
    # other statements
    "COPY spans TO '/tmp/x.csv'",
    "COPY (SELECT 1) TO '/tmp/x.parquet'",
    "ATTACH '/tmp/x.db' AS x",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA version",
    "PRAGMA database_list",
    "SET threads = 1",
    "SET VARIABLE x = 1",
    "RESET threads",
    "USE memory",
    "CALL pragma_version()",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "CREATE TABLE x AS FROM spans",
    "CREATE OR REPLACE TEMP MACRO lower(x) AS 1",
    "CREATE SECRET (TYPE s3)",
    "CREATE VIEW spans AS SELECT 1",
    "INSERT INTO spans VALUES (1)",
    "UPDATE spans SET dur = 0",
    "DELETE FROM spans",
    "MERGE INTO spans USING traces ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE spans",
    "ALTER TABLE spans ADD COLUMN x INT",
    "DROP TABLE spans",
    "VACUUM",
    "CHECKPOINT",
    "ANALYZE",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    "COMMENT ON TABLE spans IS 'x'",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN SELECT 1",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SHOW DATABASES",
    "DESCRIBE",
    # several statements, none, garbage
    "SELECT 1; SELECT 2",
    "SELECT 1;; DROP TABLE spans",
    "/* SELECT 1 */ DROP TABLE spans",
    "SELECT 1 --\n; DROP TABLE spans",
    "SELECT 1\0; DROP TABLE spans",
    "",
    " ; ",
    "-- nothing",
    "SELEC 1",
    "SELECT 'open",
    "SELECT ?",
    "SELECT $name",
    # files, addresses and catalogs as tables
    "FROM 'x.parquet'",
    "FROM '/etc/passwd'",
    'FROM "x.csv"',
    "FROM 'https://example.com/x.csv'",
    "FROM 's3://bucket/*.json'",
    "FROM information_schema.tables",
    "FROM pg_catalog.pg_class",
    "FROM main.spans",
    "FROM memory.main.spans",
    "FROM lake.spans",
    "FROM __ducklake_metadata_lake.ducklake_data_file",
    "FROM duckdb_settings",
    "FROM duckdb_logs",
    "FROM sqlite_master",
    "FROM pragma_database_list",
    "FROM pg_class",
    "FROM spans AT (VERSION => 1)",
    "DESCRIBE 'x.parquet'",
    "SUMMARIZE 'x.csv'",
    "SUMMARIZE duckdb_settings",
    "TABLE 'x.parquet'",
    # table functions
    "FROM read_csv('x')",
    "FROM READ_CSV_AUTO('x')",
    "FROM read_parquet(['x'])",
    "FROM parquet_scan('x')",
    "FROM read_json('x')",
    "FROM read_ndjson_objects('x')",
    "FROM read_text('/etc/passwd')",
    "FROM read_blob('/etc/passwd')",
    "FROM read_duckdb('x')",
    "FROM glob('/etc/*')",
    "FROM sniff_csv('x')",
    "FROM parquet_metadata('x')",
    "FROM parquet_schema('x')",
    "FROM parquet_kv_metadata('x')",
    "FROM duckdb_secrets()",
    "FROM duckdb_settings()",
    "FROM duckdb_tables()",
    "FROM duckdb_logs()",
    "FROM duckdb_variables()",
    "FROM duckdb_temporary_files()",
    "FROM system.main.duckdb_tables()",
    "FROM which_secret('x', 's3')",
    "FROM pragma_storage_info('spans')",
    "FROM query('DROP TABLE spans')",
    "FROM query_table('spans')",
    "FROM histogram(spans, dur)",
    "FROM summary((FROM spans))",
    "FROM json_execute_serialized_sql('{}')",
    "FROM seq_scan('spans')",
    "FROM arrow_scan(1, 2, 3)",
    "FROM pandas_scan(1)",
    "FROM python_map_function(1)",
    "FROM ducklake_snapshots('lake')",
    "FROM enable_logging()",
    "FROM checkpoint()",
    "FROM test_all_types()",
    "FROM main.range(3), main.glob('*')",
    # scalar functions
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('HOME')",
    "SELECT getvariable('x')",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT json_deserialize_sql('{}')",
    "SELECT json_serialize_plan('SELECT 1')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(10000)",
    "SELECT pg_sleep(10)",
    "SELECT nextval('s')",
    "SELECT current_query()",
    "SELECT current_database()",
    "SELECT setseed(0.5)",
    "SELECT in_search_path('a', 'b')",
    "SELECT system.main.current_setting('threads')",
    "SELECT 'threads'.current_setting()",
    "SELECT service.current_setting() FROM spans",
    "SELECT CuRrEnT_SeTtInG('threads')",
    "SELECT \"current_setting\"('threads')",
    "SELECT no_such_function(1)",
    "SELECT sum(1) OVER (ORDER BY getvariable('x'))",
]

HIDING_PLACES = [
    "{attack}",
    "SELECT * FROM ({attack})",
    "SELECT ({attack})",
    "WITH a AS ({attack}) SELECT * FROM a",
    "WITH a AS (SELECT 1), b AS MATERIALIZED ({attack}) FROM b",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL ({attack})) FROM r",
    "SELECT * FROM spans, LATERAL ({attack}) x",
    "SELECT * FROM spans WHERE dur IN ({attack})",
    "SELECT * FROM spans WHERE EXISTS ({attack})",
    "SELECT 1 UNION ALL ({attack})",
    "SELECT 1 FROM spans ORDER BY ({attack})",
    "SELECT 1 LIMIT ({attack})",
    "SELECT list_transform([1], lambda x: ({attack}))",
    "SELECT CASE WHEN true THEN 1 ELSE ({attack}) END",
    "SELECT count(*) FILTER (WHERE ({attack}) IS NULL) FROM spans",
    "SELECT * FROM spans JOIN traces ON spans.trace_id = ({attack})",
    "SELECT * FROM range(({attack}))",
    "SELECT dur FROM spans GROUP BY dur HAVING ({attack}) > 1",
    "SELECT * REPLACE (({attack}) AS dur) FROM spans",
    "PIVOT ({attack}) ON a IN (1) USING count(*)",
    "UNPIVOT ({attack}) ON a INTO NAME k VALUE v",
    "SELECT ({attack})::VARCHAR[1:2]",
    "SELECT sum(dur) OVER (PARTITION BY ({attack})) FROM spans",
    "VALUES (({attack}))",
    "DESCRIBE {attack}",
    "SUMMARIZE {attack}",
]

SCOPES = [
    # a name that WITH defines elsewhere is a file here
    "SELECT * FROM (WITH x AS (SELECT 1) FROM x) a, x",
    "WITH x AS (FROM x) FROM x",
    "WITH a AS (FROM b), b AS (SELECT 1) FROM a",
    "WITH RECURSIVE r AS (FROM r UNION ALL FROM r) FROM r",
    "SELECT (WITH x AS (SELECT 1) SELECT * FROM x), (SELECT * FROM x)",
    # names that the engine may resolve otherwise than we do
    'WITH "x.csv" AS (SELECT 1) FROM "x.csv"',
    "WITH duckdb_settings AS (SELECT 1) FROM duckdb_settings",
    "WITH pg_class AS (SELECT 1) FROM pg_class",
]


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE spans(trace_id VARCHAR, ts TIMESTAMP_NS, dur BIGINT, service VARCHAR, name VARCHAR,"
        " kind TINYINT, status_code TINYINT, attrs VARCHAR, events VARCHAR)"
    )
    connection.execute(
        "CREATE TABLE traces(trace_id VARCHAR, ts TIMESTAMP_NS, root_service VARCHAR, services VARCHAR[])"
    )
    return connection


@pytest.mark.parametrize("text", ANALYTICS)
def test_accepts_analytics_and_the_engine_runs_it(engine: duckdb.DuckDBPyConnection, text: str):
    check(engine, text, TABLES)
    engine.execute(text).fetchall()


@pytest.mark.parametrize("text", ATTACKS + SCOPES + TOO_LARGE)
def test_refuses(engine: duckdb.DuckDBPyConnection, text: str):
    with pytest.raises(QueryError):
        check(engine, text, TABLES)


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_refuses_wherever_it_hides(engine: duckdb.DuckDBPyConnection, place: str):
    for attack in ATTACKS:
        if " " in attack.strip(" ;-"):  # one word in parentheses would be a column's name
            with pytest.raises(QueryError):
                check(engine, place.format(attack=attack), TABLES)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_refuses_attacks_nested_at_random(engine: duckdb.DuckDBPyConnection, data: st.DataObject):
    text = data.draw(st.sampled_from([a for a in ATTACKS if a.startswith(("SELECT", "FROM"))]))
    for place in data.draw(st.lists(st.sampled_from(HIDING_PLACES), max_size=4)):
        text = place.replace("{attack}", text)
    with pytest.raises(QueryError):
        check(engine, text, TABLES)


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(["SELECT", "FROM", "spans", "(", ")", ",", "*", "WITH", "a", "AS"])).map(
        " ".join
    )
)
def test_any_text_is_accepted_or_refused(engine: duckdb.DuckDBPyConnection, text: str):
    try:
        check(engine, text, TABLES)
    except QueryError:
        return


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DELETE FROM spans", "only SELECT is allowed, not DELETE"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT *\nFROM missing", 'no table "missing" (line 2, column 6): the tables are spans, traces'),
        ("SELECT 'ü', getenv('x')", "getenv() for queries (line 1, column 13)"),
        ("FROM read_csv('x')", "table function read_csv() is not allowed"),
        ("SHOW TABLES", "the tables are spans, traces; DESCRIBE"),
        ("PIVOT spans ON service USING count(*)", "PIVOT needs its values written out"),
        ("SELECT ?", "instead of parameters"),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT " + "1," * 60_000, "longer than"),
    ],
)
def test_message_says_what_to_mend(engine: duckdb.DuckDBPyConnection, text: str, said: str):
    with pytest.raises(QueryError) as caught:
        check(engine, text, TABLES)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "-" * 40_000 + "1",
        "SELECT " + "1 + " * 20_000 + "1",
        "SELECT " + "[" * 5000 + "]" * 5000,
    ],
)
def test_deep_nesting_is_refused_or_accepted_but_does_not_crash(engine: duckdb.DuckDBPyConnection, text: str):
    try:
        check(engine, text, TABLES)
    except QueryError:
        return


def test_listed_functions_exist(engine: duckdb.DuckDBPyConnection):
    """A misspelt name in the list would refuse a function silently."""
    rows = engine.execute("SELECT DISTINCT lower(function_name) FROM duckdb_functions()").fetchall()
    known = {name for (name,) in rows}
    made_by_the_parser = {"->", "alias", "unnest", "row", "grouping"}
    assert FUNCTIONS - known - made_by_the_parser == set()
    assert TABLE_FUNCTIONS - known - made_by_the_parser == set()


def test_hardened_engine_reads_below_its_directory_only(tmp_path: Path):
    inside, outside = tmp_path / "it's data", tmp_path / "other"
    for directory in (inside, outside):
        directory.mkdir()
        (directory / "x.csv").write_text("a\n1\n")
    connection = duckdb.connect()
    harden(connection, inside)
    assert connection.execute("FROM read_csv(?)", [str(inside / "x.csv")]).fetchall() == [(1,)]
    frame = [1]  # a Python variable that a replacement scan would find by its name
    assert frame
    for text in (
        "FROM read_text('/etc/hostname')",
        f"FROM '{outside}/x.csv'",
        "ATTACH '/tmp/other.db'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET threads = 1",
        "FROM frame",
    ):
        with pytest.raises(duckdb.Error):
            connection.cursor().execute(text)
