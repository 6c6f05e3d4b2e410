"""Which attributes the recent spans of a service have: what a search form offers while one types."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa

from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables

SAMPLE = 2000  # spans looked at: enough for every common key, few enough for each keystroke
SHOWN = 100


def keys(reader: Reader, tables: LakeTables, service: str, context: QueryContext) -> list[str]:
    """Attribute keys of recent spans and their resources, the most frequent first."""
    counted: Counter[str] = Counter()
    for row in _sample(reader, tables, service, context):
        counted.update(row.keys())
    return [key for key, _ in counted.most_common(SHOWN)]


def values(reader: Reader, tables: LakeTables, service: str, key: str, context: QueryContext) -> list[str]:
    """Values of one attribute in recent spans as text, the most frequent first."""
    counted = Counter(_text(row[key]) for row in _sample(reader, tables, service, context) if key in row)
    return [value for value, _ in counted.most_common(SHOWN)]


def _sample(
    reader: Reader, tables: LakeTables, service: str, context: QueryContext
) -> Iterable[dict[str, Any]]:
    spans = tables.spans.c
    promoted = [spans[p.column] for p in tables.promoted]
    statement = sa.select(spans.attrs, spans.resource, *promoted).order_by(spans.ts.desc()).limit(SAMPLE)
    if service:
        statement = statement.where(spans.service == service)
    for row in reader.select(statement, context).to_pylist():
        found = {p.key: row[p.column] for p in tables.promoted if row[p.column] is not None}
        yield {**orjson.loads(row["resource"] or "{}"), **orjson.loads(row["attrs"] or "{}"), **found}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
