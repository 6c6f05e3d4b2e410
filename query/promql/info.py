"""``info()``: labels of info series (``target_info``) for the series of the same job and instance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from query.promql.ast import Call, DurationNumber, Expr, Matcher, Subquery, VectorSelector
from query.promql.context import Context
from query.promql.errors import ExecutionError
from query.promql.kernels.call import Ints
from query.promql.labelsets import NAME, changed, kept, name_of, shown
from query.promql.matching import accepts
from query.promql.matrix import Matrix
from query.promql.merging import merged
from query.promql.selection import Picked, milliseconds, pick, trimmed
from query.promql.series import Labels
from query.promql.walk import children
from vigla.prometheus.regex import escaped

IDENTIFYING = ("instance", "job")
DEFAULT_NAME = "target_info"
_NONE = -1


def info(context: Context, call: Call, vector: Matrix) -> Matrix:
    """The vector with the labels of the info series that each element has at its step.

    Raises:
        ExecutionError: info series contradict each other, or are histograms.
    """
    matchers = _matchers(call)
    names = _name_matchers(matchers)
    data = [m for m in matchers if m.name != NAME]
    ignored = [all(accepts(m, name_of(own)) for m in names) for own in vector.labels]
    wanted = [own for own, skip in zip(vector.labels, ignored, strict=True) if not skip]
    picked = _info_series(context, call, names, data, wanted)
    return _Enrichment(vector, ignored, data, picked).result()


def _matchers(call: Call) -> tuple[Matcher, ...]:
    selector = call.arguments[1] if len(call.arguments) > 1 else None
    return selector.matchers if isinstance(selector, VectorSelector) else ()


def _name_matchers(matchers: Sequence[Matcher]) -> list[Matcher]:
    names = [m for m in matchers if m.name == NAME]
    if not names:
        return [Matcher(NAME, "=", DEFAULT_NAME)]
    if all(m.op in ("!=", "!~") for m in names):
        return [*names, Matcher(NAME, "=~", ".+_info")]
    return names


def _info_series(
    context: Context, call: Call, names: list[Matcher], data: list[Matcher], wanted: Sequence[Labels]
) -> Picked:
    """The info series at the times of which the vector's samples are."""
    found = [dict(own) for own in wanted]
    identities = [
        Matcher(name, "=~", "|".join(sorted({escaped(own.get(name, "")) for own in found})))
        for name in IDENTIFYING
    ]
    matchers = (*names, *(m for m in identities if m.value), *(m for m in data if not accepts(m, "")))
    selector = VectorSelector(call.place, "", matchers)
    return pick(context, _at_the_same_time(selector, call.arguments[0]))


def _at_the_same_time(selector: VectorSelector, base: Expr) -> VectorSelector:
    offset, at = 0, None
    for node in _path(base):
        own = milliseconds(node.offset) if isinstance(node.offset, DurationNumber) else 0
        if node.at is not None:
            at, offset = node.at, own
        else:
            offset += own
    return replace(selector, at=at, offset=DurationNumber(selector.place, offset / 1000, False))


def _path(expr: Expr) -> Iterator[VectorSelector | Subquery]:
    """The selector that is written first, behind the subqueries around it."""
    if isinstance(expr, VectorSelector):
        yield expr
        return
    if isinstance(expr, Subquery):
        yield expr
    for child in children(expr):
        found = list(_path(child))
        if found:
            yield from found
            return


@dataclass(frozen=True, slots=True)
class _Enrichment:
    vector: Matrix
    ignored: list[bool]
    data: list[Matcher]
    picked: Picked

    def result(self) -> Matrix:
        """Each series, once for each combination of info series that it meets."""
        batch = self.picked.batch
        if batch.histograms is not None and any(h is not None for h in batch.histograms.tolist()):
            raise ExecutionError("this should be an info metric, with float samples")
        by_identity: dict[Labels, dict[str, list[int]]] = {}
        for row, own in enumerate(batch.labels):
            named = by_identity.setdefault(kept(own, IDENTIFYING), {})
            named.setdefault(name_of(own), []).append(row)
        parts = [part for row in range(len(self.vector.labels)) for part in self._row(row, by_identity)]
        if not parts:
            return _chosen(self.vector, [], [], [])
        sources, labels, masks = zip(*parts, strict=True)
        return trimmed(merged(_chosen(self.vector, list(sources), list(labels), list(masks))))

    def _row(
        self, row: int, by_identity: dict[Labels, dict[str, list[int]]]
    ) -> Iterator[tuple[int, Labels, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]]:
        own, present = self.vector.labels[row], self.vector.present[row]
        if self.ignored[row]:
            yield row, own, present
            return
        groups = by_identity.get(kept(own, IDENTIFYING), {}) if kept(own, IDENTIFYING) else {}
        chosen = np.array([self._newest(rows) for rows in groups.values()], np.int64)
        chosen = chosen.reshape(len(groups), present.size)
        combinations, inverse = np.unique(chosen, axis=1, return_inverse=True)
        for number in range(combinations.shape[1]):
            mask = present & (inverse.reshape(-1) == number)
            met = [r for r in combinations[:, number].tolist() if r != _NONE]
            if mask.any() and (met or all(accepts(m, "") for m in self.data)):
                yield row, self._enriched(own, met), mask

    def _newest(self, rows: list[int]) -> Ints:
        """Int64 [T]: of info series of one name the one with the newest sample; -1: none has one."""
        picked = self.picked
        times = np.where(picked.present[rows], picked.batch.times[picked.index[rows]], np.int64(-(2**62)))
        found = np.array(rows, np.int64)[times.argmax(axis=0)]
        newest = times.max(axis=0)
        doubled = (times == newest).sum(axis=0) > 1
        if (doubled & picked.present[rows].any(axis=0)).any():
            pair = ", ".join(shown(picked.batch.labels[r]) for r in rows[:2])
            raise ExecutionError(f"found duplicate series for info metric: [{pair}]")
        return np.where(picked.present[rows].any(axis=0), found, _NONE)

    def _enriched(self, own: Labels, met: list[int]) -> Labels:
        names = {m.name for m in self.data}
        base, added = dict(own), dict[str, str]()
        for row in met:
            for name, value in self.picked.batch.labels[row]:
                if name == NAME or name in IDENTIFYING or (names and name not in names):
                    continue
                if name in base:
                    continue
                if added.setdefault(name, value) != value:
                    raise ExecutionError(f"conflicting label: {name}")
        for name, value in added.items():
            own = changed(own, name, value)
        return own


def _chosen(
    vector: Matrix,
    sources: list[int],
    labels: list[Labels],
    masks: "list[np.ndarray[tuple[int], np.dtype[np.bool_]]]",
) -> Matrix:
    rows = np.array(sources, np.int64)
    return Matrix(
        labels,
        vector.values[rows],
        np.array(masks, np.bool_).reshape(len(rows), vector.present.shape[1]),
        None if vector.histograms is None else vector.histograms[rows],
        vector.drop_name[rows],
    )
