"""SQLAlchemy statements to DuckDB's text and positional parameters."""

from typing import Any, cast

import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = Dialect(paramstyle="qmark")


def compiled(statement: sa.sql.elements.ClauseElement) -> tuple[str, list[Any]]:
    """Text with ``?`` in place of values, and the values in order; lists of ``IN`` are spread."""
    result = cast(
        "SQLCompiler", statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    )
    return str(result), [result.params[name] for name in result.positiontup or ()]


def text_of(statement: sa.sql.elements.ClauseElement | sa.sql.ddl.ExecutableDDLElement) -> str:
    """Text with all values written into it, for ATTACH, CREATE and ALTER, which take no parameters."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
