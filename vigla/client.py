"""Python client of vigla's SQL API.

>>> import vigla
>>> with vigla.connect("http://127.0.0.1:16686") as connection:  # doctest: +SKIP
...     slowest = connection.sql("SELECT service, max(dur) / 1e6 AS ms FROM spans GROUP BY ALL")
...     print(slowest.rows())
...     frame = slowest.pandas()

Answers travel as an Arrow stream: types, nanoseconds and 64-bit integers arrive as they are stored.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import httpx
import orjson
import pyarrow as pa
import pyarrow.ipc

from vigla import errors

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

DEFAULT_URL = "http://127.0.0.1:16686"
SQL_PATH = "/api/vigla/v1/sql"
SCHEMA_PATH = "/api/vigla/v1/schema"
ARROW = "application/vnd.apache.arrow.stream"
CONNECT_TIMEOUT_S = 5.0
MAX_ERROR_CHARACTERS = 500  # of an answer that is not ours, for example a proxy's HTML page

_ERRORS: dict[str, type[errors.ViglaError]] = {
    kind.__name__: kind
    for kind in (
        errors.BadInput,
        errors.DeadlineExceeded,
        errors.NotFound,
        errors.Overloaded,
        errors.PayloadTooLarge,
        errors.QueryCancelled,
        errors.QueryError,
        errors.ResultTooLarge,
        errors.StorageUnavailable,
        errors.UnsupportedEncoding,
    )
}


class Unreachable(errors.ViglaError):
    """No vigla server answers at the URL, or the connection broke."""


class Result:
    """The rows of one query, as whatever the caller works with."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        return f"Result({len(self)} rows: {', '.join(self.columns)})"

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._table.column_names)

    def arrow(self) -> pa.Table:
        """As an Arrow table."""
        return self._table

    def rows(self) -> list[tuple[Any, ...]]:
        """As tuples of Python values.

        Timestamps become ``datetime`` in UTC, which has microseconds: ``arrow`` keeps the nanoseconds.
        """
        columns = [_python_values(column) for column in self._table.columns]
        return list(zip(*columns, strict=True))

    def pandas(self) -> "pd.DataFrame":
        """As a pandas data frame; needs ``vigla[pandas]``."""
        try:
            import pandas as pd  # noqa: PLC0415  optional, and half a second to import
        except ImportError as error:
            raise errors.SettingsError("pandas is not installed: pip install 'vigla[pandas]'") from error
        frame: pd.DataFrame = self._table.to_pandas()
        return frame

    def polars(self) -> "pl.DataFrame":
        """As a polars data frame; needs ``vigla[polars]``."""
        try:
            import polars as pl  # noqa: PLC0415  optional
        except ImportError as error:
            raise errors.SettingsError("polars is not installed: pip install 'vigla[polars]'") from error
        frame = pl.from_arrow(self._table)
        return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()


class Connection:
    """A server's SQL API; thread-safe. Close it, or use it in ``with``."""

    def __init__(self, url: str) -> None:
        # No limit on reading: the server ends a query at its deadline and says so.
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        try:
            self._http = httpx.Client(base_url=url, timeout=timeout)
        except httpx.InvalidURL as error:
            raise errors.SettingsError(f"{url}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the server."""
        self._http.close()

    def sql(self, query: str, *, timeout_s: float | None = None, max_rows: int | None = None) -> Result:
        """Run one read-only statement.

        Args:
            query: DuckDB's SQL over the tables that ``schema`` lists.
            timeout_s: a deadline below the server's own.
            max_rows: rows the answer may have, below the server's own cap.

        Raises:
            QueryError: the statement is wrong or not allowed.
            QueryStopped: it ran past its deadline, or the answer is too large.
            Overloaded: the server runs as many queries as it may.
            Unreachable: no server, or none of ours.
        """
        body = {"query": query, "timeout_s": timeout_s, "max_rows": max_rows}
        with self._answer("POST", SQL_PATH, json=body, headers={"Accept": ARROW}) as response:
            if response.headers.get("content-type") != ARROW:
                raise Unreachable(f"{response.url} does not answer as vigla does")
            with pa.ipc.open_stream(response.read()) as reader:
                return Result(reader.read_all())

    def sql_bytes(self, query: str, form: str) -> Iterator[bytes]:
        """Run one statement and give the answer's bytes as they arrive.

        Args:
            query: as for ``sql``.
            form: ``json``, ``csv``, ``arrow`` or ``parquet``.
        """
        with self._answer("POST", SQL_PATH, json={"query": query}, params={"format": form}) as response:
            yield from response.iter_bytes()

    def schema(self) -> list[dict[str, Any]]:
        """Tables as ``{"name","description","columns":[{"name","type","description"}]}``."""
        with self._answer("GET", SCHEMA_PATH) as response:
            response.read()
            tables: list[dict[str, Any]] = response.json()["tables"]
            return tables

    @contextmanager
    def _answer(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        try:
            with self._http.stream(method, path, **options) as response:
                if not response.is_success:
                    response.read()
                    raise _error_of(response)
                yield response
        except (httpx.HTTPError, pa.ArrowInvalid) as error:
            raise Unreachable(f"{self._http.base_url}: {error or type(error).__name__}") from error


def connect(url: str = DEFAULT_URL) -> Connection:
    """A connection to the server whose query API is at ``url``. Nothing is sent before the first query."""
    return Connection(url)


def _error_of(response: httpx.Response) -> errors.ViglaError:
    try:
        error = response.json()["error"]
        kind, message = _ERRORS.get(error["code"], errors.ViglaError), str(error["message"])
    except (orjson.JSONDecodeError, ValueError, LookupError, TypeError):
        return Unreachable(
            f"{response.url} answers {response.status_code}: {response.text[:MAX_ERROR_CHARACTERS]}"
        )
    if kind is errors.Overloaded:
        delay = response.headers.get("retry-after", "")
        return errors.Overloaded(message, float(delay) if delay.isdecimal() else 1.0)
    return kind(message)


def _python_values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", "UTC"), safe=False)
    values: list[Any] = column.to_pylist()
    return values
