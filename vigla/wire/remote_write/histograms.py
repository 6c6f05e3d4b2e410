"""Native histograms as columns: integer buckets, sent as differences, become absolute counts."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.otlp.buffers import offsets_of

CUSTOM = -53
SCHEMAS = (-4, 8)

SMALLEST_EXPONENT, LARGEST_EXPONENT = -1074, 1024

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def columns(histograms: pa.StructArray) -> dict[str, pa.Array]:
    """Columns of ``vigla.model.samples.histogram_schema`` but for series and time."""
    made = {
        "schema": histograms.field("schema"),
        "zero_threshold": histograms.field("zero_threshold"),
        "zero_count": _number(histograms, "zero_count"),
        "count": _number(histograms, "count"),
        "sum": histograms.field("sum"),
        "custom": histograms.field("custom_values"),
        "hint": histograms.field("reset_hint"),
    }
    for side in ("positive", "negative"):
        made[f"{side}_spans"] = _spans(histograms.field(f"{side}_spans"))
        made[f"{side}_counts"] = _counts(histograms, side)
    return made


def invalid(histograms: pa.StructArray) -> Mask:
    """Which have a schema that is not kept, or buckets that cannot be: bool [N].

    A reader makes dense arrays of buckets, so their indices must be ones that observations can fall into.
    """
    if not len(histograms):
        return np.zeros(0, bool)
    schema = histograms.field("schema").to_numpy().astype(np.int64)
    wrong = ((schema < SCHEMAS[0]) | (schema > SCHEMAS[1])) & (schema != CUSTOM)
    for side in ("positive", "negative"):
        wrong |= _misplaced(histograms, side, np.where(wrong, 0, schema))
        counts = _counts(histograms, side)
        negative = np.concatenate(([0], np.cumsum(counts.flatten().to_numpy() < 0)))
        wrong |= np.diff(negative[offsets_of(counts)]) > 0
    for total in ("count", "zero_count"):
        wrong |= _number(histograms, total).to_numpy() < 0
    return np.asarray(wrong, bool)


def _misplaced(histograms: pa.StructArray, side: str, schema: Ints) -> Mask:
    """Where spans do not fit the buckets, go backwards, or lead to where no float64 falls."""
    lists = histograms.field(f"{side}_spans")
    spans = lists.flatten()
    gaps, lengths = (spans.field(name).to_numpy().astype(np.int64) for name in ("offset", "length"))
    bounds = offsets_of(lists) - offsets_of(lists)[0]
    ends = _sums(gaps + lengths)[bounds]
    first = np.zeros(len(lists), np.int64)
    some = np.diff(bounds) > 0
    first[some] = gaps[bounds[:-1][some]]
    backwards = gaps < 0
    backwards[bounds[:-1][some]] = False
    lowest, highest = _reachable(schema)
    custom = histograms.field("custom_values")
    highest = np.where(schema == CUSTOM, np.diff(offsets_of(custom)), highest)
    wrong = np.diff(_sums(lengths)[bounds]) != (
        _widths(histograms, f"{side}_deltas") + _widths(histograms, f"{side}_counts")
    )
    wrong |= np.diff(_sums(backwards.astype(np.int64))[bounds]) > 0
    return np.asarray(wrong | (some & ((first < lowest) | (np.diff(ends) - 1 > highest))), bool)


def _reachable(schema: Ints) -> tuple[Ints, Ints]:
    """Lowest and highest bucket of a schema: ``2**-1074`` and ``2**1024`` bound all float64."""
    up, down = np.maximum(schema, 0), np.maximum(-schema, 0)
    lowest = np.where(schema == CUSTOM, 0, (SMALLEST_EXPONENT << up) >> np.minimum(down, 8))
    return lowest, ((LARGEST_EXPONENT << up) >> np.minimum(down, 8)) + 1


def _sums(values: Ints) -> Ints:
    """Sums of what is before each place, [N + 1]."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))


def _number(histograms: pa.StructArray, name: str) -> pa.DoubleArray:
    whole = histograms.field(f"{name}_int").cast(pa.float64(), safe=False)
    return pc.coalesce(histograms.field(f"{name}_float"), whole, pa.scalar(0.0))


def _widths(histograms: pa.StructArray, name: str) -> npt.NDArray[np.int64]:
    return np.diff(offsets_of(histograms.field(name))).astype(np.int64)


def _spans(lists: pa.ListArray) -> pa.ListArray:
    """Offset and length of each span by turns."""
    spans = lists.flatten()
    both = np.empty((len(spans), 2), np.int64)
    both[:, 0], both[:, 1] = spans.field("offset").to_numpy(), spans.field("length").to_numpy()
    offsets = offsets_of(lists)
    return pa.ListArray.from_arrays(pa.array((offsets - offsets[0]) * 2), pa.array(both.ravel()))


def _counts(histograms: pa.StructArray, side: str) -> pa.ListArray:
    """A histogram has either differences or counts, so both fit into one list."""
    deltas, floats = histograms.field(f"{side}_deltas"), histograms.field(f"{side}_counts")
    sizes = {id(each): np.diff(offsets_of(each)).astype(np.int64) for each in (deltas, floats)}
    offsets = np.concatenate(([0], np.cumsum(sizes[id(deltas)] + sizes[id(floats)])))
    flat = np.zeros(offsets[-1])
    sums = np.cumsum(deltas.flatten().to_numpy())
    before = np.concatenate(([0], sums))[offsets_of(deltas)[:-1] - offsets_of(deltas)[0]]
    flat[_places(offsets, sizes[id(deltas)])] = sums - np.repeat(before, sizes[id(deltas)])
    flat[_places(offsets, sizes[id(floats)])] = floats.flatten().to_numpy()
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(flat))


def _places(offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    starts = np.concatenate(([0], np.cumsum(sizes)))[:-1]
    return np.arange(sizes.sum()) + np.repeat(offsets[:-1] - starts, sizes)
