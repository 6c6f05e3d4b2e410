"""Remote write to columns: see ``vigla.wire.remote_write``."""

from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.remote_write_messages import packed, request_v1, request_v2
from vigla.errors import BadInput, PayloadTooLarge
from vigla.prometheus.staleness import STALE
from vigla.wire.remote_write import envelope
from vigla.wire.remote_write.admit import AHEAD_MS, admit
from vigla.wire.remote_write.decode import Decoded, RemoteWriteDecoder
from vigla.wire.remote_write.descriptors import Version
from vigla.wire.remote_write.encode import VERSION, Exemplar, Metadata, Point, encode

NOW = 1_700_000_000_000
UP = {"__name__": "up", "job": "a"}
REQUESTS: list[tuple[Version, Any]] = [("1", request_v1), ("2", request_v2)]
both = pytest.mark.parametrize(("version", "request_of"), REQUESTS, ids=["v1", "v2"])


def decoded(version: Version, request: Any) -> Decoded:
    (result,) = RemoteWriteDecoder().decode([admit(version, packed(request), NOW).record])
    return result


def points(result: Decoded) -> list[tuple[dict[str, str], int, float]]:
    labels = dict(zip(*(result.series.column(c).to_pylist() for c in ("sid", "labels")), strict=True))
    rows = result.samples.set_column(1, "ts", result.samples.column("ts").cast(pa.int64())).to_pylist()
    return [(orjson.loads(labels[row["sid"]]), row["ts"], row["value"]) for row in rows]


@both
def test_samples_by_series(version: Version, request_of: Any) -> None:
    request = request_of((UP, [(1, 0.5), (2, -1.0)]), ({"job": "b", "__name__": "up"}, [(1, 2.0)]))
    found = points(decoded(version, request))
    assert found == [(UP, 1, 0.5), (UP, 2, -1.0), ({"__name__": "up", "job": "b"}, 1, 2.0)]


label_sets = st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=4)
series = st.tuples(
    label_sets, st.lists(st.tuples(st.integers(0, NOW), st.floats(allow_nan=False)), max_size=3)
)


@both
@settings(max_examples=60, deadline=None)
@given(given_series=st.lists(series, max_size=6))
def test_any_series(version: Version, request_of: Any, given_series: list[Any]) -> None:
    named = [({**labels, "__name__": "m"}, samples) for labels, samples in given_series]
    admitted = admit(version, packed(request_of(*named)), NOW)
    expected = [
        (dict(sorted((n, v) for n, v in labels.items() if v)), *sample)
        for labels, samples in named
        for sample in samples
    ]
    assert admitted.samples == len(expected)
    if admitted.record:
        found = points(RemoteWriteDecoder().decode([admitted.record])[0])
        assert found == expected
        assert [list(labels) for labels, *_ in found] == [
            sorted(labels, key=str.encode) for labels, *_ in found
        ]


@both
def test_the_id_depends_on_the_labels_alone(version: Version, request_of: Any) -> None:
    ids = {
        decoded(version, request_of(*others, (labels, [(1, 1.0)]))).samples.column("sid")[-1].as_py()
        for labels in (UP, dict(reversed(UP.items())), UP | {"empty": ""})
        for others in ((), (({"__name__": "z", "up": "job"}, [(1, 1.0)]),))
    }
    assert len(ids) == 1
    swapped = decoded(version, request_of(({"__name__": "up", "a": "job"}, [(1, 1.0)])))
    assert swapped.samples.column("sid")[0].as_py() not in ids
    assert len({i >> 48 for i in (*ids, *swapped.samples.column("sid").to_pylist())}) == 1  # one name


@both
def test_stale_markers_keep_their_bits(version: Version, request_of: Any) -> None:
    values = decoded(version, request_of((UP, [(1, STALE)]))).samples.column("value").to_numpy()
    assert values.view(np.uint64).tolist() == [0x7FF0000000000002]


def test_version_1_skips_series_with_wrong_labels() -> None:
    request = request_v1((UP, [(1, 1.0)]), ({"job": "nameless"}, [(1, 2.0)]), (UP, [(2, 3.0)]))
    request.timeseries[2].labels.add(name=b"job", value=b"twice")
    request.timeseries.add().labels.add(name=b"__name__", value=b"\xff")
    admitted = admit("1", packed(request), NOW)
    assert (admitted.samples, admitted.reason) == (1, "")
    assert points(RemoteWriteDecoder().decode([admitted.record])[0]) == [(UP, 1, 1.0)]


def test_version_1_refuses_all_for_one_sample_of_the_future() -> None:
    with pytest.raises(BadInput, match="out of bounds"):
        admit("1", packed(request_v1((UP, [(1, 1.0), (NOW + AHEAD_MS + 1, 1.0)]))), NOW)


def test_version_2_keeps_what_is_right_and_tells_the_rest() -> None:
    request = request_v2(
        (UP, [(1, 1.0)]), ({"job": "nameless"}, [(1, 2.0)]), (UP, []), (UP, [(NOW + AHEAD_MS + 1, 1.0)])
    )
    request.timeseries.add().labels_refs.extend([1, 999])
    admitted = admit("2", packed(request), NOW)
    assert admitted.samples == 1
    for reason in ("missing metric name", "neither samples", "out of bounds", "outside of symbols"):
        assert reason in admitted.reason
    assert points(RemoteWriteDecoder().decode([admitted.record])[0]) == [(UP, 1, 1.0)]


@both
def test_histograms(version: Version, request_of: Any) -> None:
    request = request_of((UP, []), (UP, []))
    whole = request.timeseries[0].histograms.add(
        count_int=6, sum=2.5, schema=1, zero_count_int=1, timestamp=7
    )
    whole.positive_spans.add(offset=-2, length=2)
    whole.positive_spans.add(offset=3, length=1)
    whole.positive_deltas.extend([1, 1, -1])
    whole.negative_spans.add(offset=0, length=1)
    whole.negative_deltas.append(4)
    real = request.timeseries[1].histograms.add(count_float=1.5, sum=9, schema=-53, timestamp=8)
    real.positive_spans.add(offset=0, length=2)
    real.positive_counts.extend([0.5, 1.0])
    real.custom_values.append(0.1)
    rows = decoded(version, request).histograms.to_pylist()
    names = ("count", "zero_count", "positive_spans", "positive_counts", "negative_counts", "custom")
    assert [[row[name] for name in names] for row in rows] == [
        [6.0, 1.0, [-2, 2, 3, 1], [1.0, 2.0, 1.0], [4.0], []],
        [1.5, 0.0, [0, 2], [0.5, 1.0], [], [0.1]],
    ]


def test_exemplars_metadata_and_start_of_version_2() -> None:
    request = request_v2((UP, [(5, 1.0)]), ({"__name__": "c", "trace_id": "ab"}, [(5, 1.0)]))
    series = request.timeseries[1]
    series.samples[0].start_timestamp = 3
    series.exemplars.add(labels_refs=series.labels_refs[2:], value=7.0, timestamp=4)
    series.metadata.type, series.metadata.help_ref = 1, 1
    result = decoded("2", request)
    assert result.samples.column("start").to_pylist() == [None, 3]
    (exemplar,) = result.exemplars.to_pylist()
    assert (exemplar["labels"], exemplar["value"]) == ('{"trace_id":"ab"}', 7.0)
    assert result.metadata.to_pylist() == [{"name": "c", "type": "counter", "help": "__name__", "unit": ""}]


def test_metadata_of_version_1_alone_is_kept() -> None:
    request = request_v1()
    request.metadata.add(type=2, name=b"up", help=b"Is up.", unit=b"s")
    admitted = admit("1", packed(request), NOW)
    (result,) = RemoteWriteDecoder().decode([admitted.record])
    assert result.metadata.to_pylist() == [{"name": "up", "type": "gauge", "help": "Is up.", "unit": "s"}]


@pytest.mark.parametrize("body", [b"", b"\xff" * 9, b"\x05abc", envelope.compress(b"\xff\xff")])
def test_what_does_not_parse_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        admit("1", body, NOW)


def test_a_body_that_inflates_too_far_is_refused() -> None:
    with pytest.raises(PayloadTooLarge):
        envelope.decompress(envelope.compress(bytes(1000)), 999)


def test_records_of_both_versions_together() -> None:
    records = [
        admit(version, packed(make((UP, [(n, 1.0)]))), NOW).record
        for n, (version, make) in enumerate([*REQUESTS, *REQUESTS])
    ]
    found = [row for part in RemoteWriteDecoder().decode(records) for row in points(part)]
    assert [time for _, time, _ in found] == [0, 1, 2, 3]
    assert len({tuple(sorted(labels.items())) for labels, *_ in found}) == 1


def test_what_our_own_makers_write_is_what_is_decoded() -> None:
    exemplar = Exemplar({"trace_id": "ab"}, 0.5, 6)
    body = encode(
        [Point(UP, 7, 2.0, exemplar), Point(UP, 8, STALE)], [Metadata("up", "gauge", "Is up.", "s")]
    )
    (result,) = RemoteWriteDecoder().decode([admit(VERSION, body, NOW).record])
    values = result.samples.column("value").to_numpy()
    assert values.view(np.uint64).tolist() == [0x4000000000000000, 0x7FF0000000000002]
    assert [row["labels"] for row in result.exemplars.to_pylist()] == ['{"trace_id":"ab"}']
    assert result.metadata.to_pylist() == [{"name": "up", "type": "gauge", "help": "Is up.", "unit": "s"}]


GOOD_BUCKETS = [(0, [(-1074, 2), (2, 1)], [1, 0, 0]), (8, [(1024 << 8, 1)], [1]), (-53, [(0, 2)], [1, 0])]
BAD_BUCKETS = [
    (0, [(2_000_000_000, 1)], [1]),  # a dense array of it would take 16 GB
    (0, [(0, 1), (2_000_000_000, 1)], [1, 0]),
    (-4, [(80, 1)], [1]),
    (0, [(-1080, 1)], [1]),
    (0, [(5, 1), (-2, 1)], [1, 1]),
    (0, [(0, 2)], [1, -3]),
    (-53, [(1, 2)], [1, 0]),
]
Buckets = tuple[int, list[tuple[int, int]], list[int]]


def with_buckets(request: Any, buckets: Buckets) -> bytes:
    schema, spans, deltas = buckets
    added = request.timeseries[0].histograms.add(count_int=9, sum=1, schema=schema, timestamp=7)
    for offset, length in spans:
        added.positive_spans.add(offset=offset, length=length)
    added.positive_deltas.extend(deltas)
    if schema == -53:
        added.custom_values.append(0.5)
    return packed(request)


@both
@pytest.mark.parametrize("buckets", GOOD_BUCKETS)
def test_buckets_that_can_be_are_kept(version: Version, request_of: Any, buckets: Buckets) -> None:
    assert admit(version, with_buckets(request_of((UP, [])), buckets), NOW).histograms == 1


@pytest.mark.parametrize("buckets", BAD_BUCKETS)
def test_buckets_that_cannot_be_are_refused(buckets: Buckets) -> None:
    with pytest.raises(BadInput, match="invalid native histogram"):
        admit("1", with_buckets(request_v1((UP, [])), buckets), NOW)
    admitted = admit("2", with_buckets(request_v2((UP, [])), buckets), NOW)
    assert "invalid native histogram" in admitted.reason
