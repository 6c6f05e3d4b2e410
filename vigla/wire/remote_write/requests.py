"""Requests of both versions as the same columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from vigla.errors import BadInput
from vigla.wire.otlp.buffers import offsets_of, owners_of
from vigla.wire.remote_write import descriptors
from vigla.wire.remote_write.descriptors import Version
from vigla.wire.remote_write.labels import Ints, LabelSets


@dataclass(frozen=True, slots=True)
class Requests:
    """Columns of several requests of one version.

    Attributes:
        labels: of S series.
        samples, histograms, exemplars: structs as sent.
        sample_series, histogram_series, exemplar_series: the series of each.
        exemplar_labels: as many sets as exemplars.
        metadata: structs of ``type``, ``name``, ``help`` and ``unit``, binary texts.
    """

    labels: LabelSets
    samples: pa.StructArray
    sample_series: Ints
    histograms: pa.StructArray
    histogram_series: Ints
    exemplars: pa.StructArray
    exemplar_series: Ints
    exemplar_labels: LabelSets
    metadata: pa.StructArray


def parse(version: Version, messages: Sequence[bytes]) -> Requests:
    """Read serialised requests.

    Raises:
        BadInput: one of them does not parse.
    """
    batch = _read(descriptors.handler(version), list(messages))
    series = batch.column("timeseries").flatten()
    lists = {name: series.field(name) for name in ("samples", "histograms", "exemplars")}
    exemplars = lists["exemplars"].flatten()
    exemplar_series = owners_of(lists["exemplars"])
    if version == "1":
        labels, exemplar_labels = _raw(series.field("labels")), _named(exemplars.field("labels"))
        metadata = batch.column("metadata").flatten()
    else:
        request = owners_of(batch.column("timeseries"))
        symbols = batch.column("symbols")
        labels = _referred(series.field("labels_refs"), request, symbols)
        exemplar_labels = _referred(exemplars.field("labels_refs"), request[exemplar_series], symbols)
        metadata = _metadata(series.field("metadata"), labels, request, symbols)
    return Requests(
        labels,
        lists["samples"].flatten(),
        owners_of(lists["samples"]),
        lists["histograms"].flatten(),
        owners_of(lists["histograms"]),
        exemplars,
        exemplar_series,
        exemplar_labels,
        metadata,
    )


def _read(handler: Any, messages: list[bytes]) -> pa.RecordBatch:
    try:
        return handler.list_to_record_batch(messages)
    except ValueError as error:
        raise BadInput(f"body is no remote write request: {error}") from error


def _raw(lists: pa.ListArray) -> LabelSets:
    """Labels that are serialised messages."""
    raw = lists.flatten().dictionary_encode()
    pairs = _read(descriptors.label_handler(), raw.dictionary.to_pylist())
    names = pairs.column("name").dictionary_encode()
    of_label = raw.indices.to_numpy().astype(np.int64)
    return LabelSets(
        len(lists),
        owners_of(lists),
        names.dictionary,
        pairs.column("value"),
        names.indices.to_numpy().astype(np.int64)[of_label],
        of_label,
        np.zeros(len(lists), bool),
    )


def _named(lists: pa.ListArray) -> LabelSets:
    pairs = lists.flatten()
    names, values = (pairs.field(part).dictionary_encode() for part in ("name", "value"))
    return LabelSets(
        len(lists),
        owners_of(lists),
        names.dictionary,
        values.dictionary,
        names.indices.to_numpy().astype(np.int64),
        values.indices.to_numpy().astype(np.int64),
        np.zeros(len(lists), bool),
    )


def _referred(lists: pa.ListArray, request: Ints, symbols: pa.ListArray) -> LabelSets:
    """Labels that are pairs of places in their request's symbols."""
    texts = symbols.flatten().dictionary_encode()
    codes = texts.indices.to_numpy().astype(np.int64)
    starts = offsets_of(symbols).astype(np.int64)
    refs = lists.flatten().to_numpy().astype(np.int64)
    owners = owners_of(lists)
    of_ref = request[owners]
    places = refs + starts[of_ref]
    outside = places >= starts[of_ref + 1]
    broken = np.diff(offsets_of(lists)) % 2 == 1
    broken[owners[outside]] = True
    kept = ~broken[owners]
    pairs = codes[places[kept]].reshape(-1, 2)
    first = owners[kept][::2]
    return LabelSets(len(lists), first, texts.dictionary, texts.dictionary, pairs[:, 0], pairs[:, 1], broken)


def _metadata(
    fields: pa.StructArray, labels: LabelSets, request: Ints, symbols: pa.ListArray
) -> pa.StructArray:
    """Metadata of series that have some, the text where a reference is wrong left empty."""
    texts = symbols.flatten()
    starts = offsets_of(symbols).astype(np.int64)

    def text_of(name: str) -> pa.Array:
        refs = fields.field(name).fill_null(0).to_numpy().astype(np.int64)
        places = refs + starts[request]
        return texts.take(pa.array(places, mask=places >= starts[request + 1])).fill_null(b"")

    kinds = fields.field("type").fill_null(0)
    helps, units = text_of("help_ref"), text_of("unit_ref")
    names = labels.metric_names()
    rows = pa.StructArray.from_arrays(
        [kinds, names.cast(pa.binary()), helps, units], ["type", "name", "help", "unit"]
    )
    told = (kinds.to_numpy() > 0) | (_lengths(helps) > 0) | (_lengths(units) > 0)
    return rows.filter(pa.array(told & names.is_valid().to_numpy(zero_copy_only=False)))


def _lengths(texts: pa.BinaryArray) -> Ints:
    return np.diff(offsets_of(texts)).astype(np.int64)
