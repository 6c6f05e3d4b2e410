"""The one place where errors of DuckDB and of the file system become vigla's own."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from vigla.errors import DeadlineExceeded, QueryError, ResultTooLarge, StorageUnavailable
from vigla.storage.api import Stop

# What a statement can do wrong by itself. Everything else is the engine's or the disk's trouble.
_STATEMENT = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConstraintException,
    duckdb.DataError,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
    duckdb.PermissionException,
    duckdb.SyntaxException,
)


@contextmanager
def of_query(stop: Stop) -> Iterator[None]:
    """Translate what a reading statement raises.

    Raises:
        QueryStopped: interrupted by ``stop``, or out of its memory.
        QueryError: the statement is wrong for the data.
        StorageUnavailable: files or catalog cannot be read.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise _of_query(error, stop) from error


@contextmanager
def of_read() -> Iterator[None]:
    """Translate what reading a file raises.

    Raises:
        StorageUnavailable: when anything is raised inside.
    """
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StorageUnavailable(f"cannot read the lake: {error}") from error


@contextmanager
def of_write(what: str) -> Iterator[None]:
    """Translate what a write raises; ``what`` completes "cannot ..".

    Raises:
        StorageUnavailable: always, when anything is raised inside.
    """
    try:
        yield
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        raise StorageUnavailable(f"cannot {what}: {error}") from error


def _of_query(error: duckdb.Error | OSError, stop: Stop) -> Exception:
    text = str(error)
    if isinstance(error, duckdb.InterruptException) or text.startswith("INTERRUPT Error"):
        stop.check()
        return DeadlineExceeded("the query was interrupted")
    if isinstance(error, duckdb.OutOfMemoryException) or text.startswith("Out of Memory Error"):
        return ResultTooLarge("the query needs more memory than it may use: narrow it or ask for less")
    if isinstance(error, _STATEMENT) or text.startswith(_STREAMED):
        return QueryError(text)
    return StorageUnavailable(f"cannot read the lake: {text}")


# While rows are streamed as Arrow, every error of the engine arrives as OSError with its kind as text.
_STREAMED = ("Conversion Error", "Out of Range Error", "Invalid Input Error", "Invalid type Error")
