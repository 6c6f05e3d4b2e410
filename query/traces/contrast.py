"""What is special about some traces: attributes that they have more or less often than others.

A trace has a value when one of its spans has. Shares are compared by Fisher's exact test, so that a value
that few traces have is not taken for a finding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from query.traces.engine import TraceEngine
from query.traces.model import ERROR
from vigla.storage.api import QueryContext
from vigla.storage.tables import LakeTables

EXAMINED = 500  # values of the greatest difference that are tested
SHOWN = 50
SIGNIFICANCE = (
    0.001  # of one value; thousands are looked at, so the usual 0.05 would find much that is not there
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that the selected traces have more or less often.

    Attributes:
        level: ``span``, ``resource``, or ``intrinsic`` for service, operation and status.
        key, value: as text.
        selected, others: share of the traces that have it, 0 to 1.
        p: chance of a difference at least as great in this direction, were there none.
    """

    level: str
    key: str
    value: str
    selected: float
    others: float
    p: float


def contrast(
    engine: TraceEngine, selected: Mapping[str, int], others: Mapping[str, int], context: QueryContext
) -> list[Difference]:
    """Significant differences, the greatest first.

    Args:
        engine: what is asked.
        selected: ids of traces with the Unix nanoseconds of one of their spans, at least one.
        others: what they are compared with, at least one.
        context: bounds of the query.
    """
    counted = engine.select_of(
        {**others, **selected}, context, lambda spans: _counts(engine.tables, spans, selected)
    )
    inside, outside = (counted[name].to_numpy().astype(np.int64) for name in ("inside", "outside"))
    shares = inside / len(selected), outside / len(others)
    examined = np.argsort(-np.abs(shares[0] - shares[1]), kind="stable")[:EXAMINED]
    p = fisher(inside[examined], outside[examined], len(selected), len(others))
    kept = examined[p <= SIGNIFICANCE][:SHOWN]
    names = (counted[name].take(pa.array(kept)).to_pylist() for name in ("level", "key", "value"))
    columns = (
        *names,
        shares[0][kept].tolist(),
        shares[1][kept].tolist(),
        p[p <= SIGNIFICANCE][:SHOWN].tolist(),
    )
    return [Difference(*row) for row in zip(*columns, strict=True)]


def fisher(inside: Ints, outside: Ints, selected: int, others: int) -> Floats:
    """One-sided p of Fisher's exact test, in the direction of the difference, for many two-by-two tables.

    Args:
        inside: how many of the selected have the value.
        outside: how many of the others have.
        selected: how many are selected.
        others: how many are not.
    """
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, selected + others + 1)))))

    def choose(n: int | Ints, k: Ints) -> Floats:
        valid = (k >= 0) & (k <= n)
        k = np.where(valid, k, 0)
        result: Floats = np.where(valid, logs[n] - logs[k] - logs[n - k], -np.inf)
        return result

    having = (inside + outside)[:, None]
    possible = np.arange(selected + 1)[None, :]
    chances = np.exp(
        choose(selected, possible) + choose(others, having - possible) - choose(selected + others, having)
    )
    more = (inside * others >= outside * selected)[:, None]
    extreme = np.where(more, possible >= inside[:, None], possible <= inside[:, None])
    result: Floats = np.minimum(np.sum(chances * extreme, axis=1), 1.0)
    return result


def _counts(tables: LakeTables, spans: sa.Subquery, selected: Mapping[str, int]) -> sa.Select[Any]:
    """How many selected and other traces have each value."""
    values = sa.union_all(*_values(tables, spans)).subquery("values_of_traces")
    side = values.c.trace_id.in_(list(selected))
    traces = sa.func.count(values.c.trace_id.distinct())
    return (
        sa.select(
            values.c.level,
            values.c.key,
            values.c.value,
            traces.filter(side).label("inside"),
            traces.filter(~side).label("outside"),
        )
        .where(values.c.value.is_not(None))
        .group_by(values.c.level, values.c.key, values.c.value)
        .order_by(values.c.level, values.c.key, values.c.value)
    )


def _values(tables: LakeTables, spans: sa.Subquery) -> Iterator[sa.Select[Any]]:
    """Level, key and value of everything that a trace's spans have."""
    one = spans.c
    status = sa.case((one.status_code == ERROR, "error"), else_="ok")
    for key, column in (("service", one.service), ("operation", one.name), ("status", status)):
        yield _of(one, "intrinsic", sa.literal(key), column)
    for promoted in tables.promoted:
        yield _of(one, "span", sa.literal(promoted.key), sa.cast(one[promoted.column], sa.Text))
    for level, column in (("span", one.attrs), ("resource", one.resource)):
        named = sa.select(
            one.trace_id, column.label("json"), sa.func.unnest(sa.func.json_keys(column)).label("key")
        ).subquery()
        # Pointers escape by RFC 6901.
        escaped = sa.func.replace(sa.func.replace(named.c.key, "~", "~0"), "/", "~1")
        value = sa.func.json_extract_string(named.c.json, sa.literal("/").concat(escaped))
        yield _of(named.c, level, named.c.key, value)


def _of(columns: Any, level: str, key: sa.ColumnElement[Any], value: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(
        columns.trace_id, sa.literal(level).label("level"), key.label("key"), value.label("value")
    )
