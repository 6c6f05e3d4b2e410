"""How many series a source may write: see ``collector.series_limit``."""

import httpx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.serving import Server
from collector.series_limit import WINDOW_S, SeriesLimit
from tests.wire.remote_write_messages import packed, request_v1, request_v2
from vigla.clock import FakeClock
from vigla.wire.remote_write.admit import Series

JOBS = pa.array([b"web", b"db"], pa.binary())


def series(*given: tuple[int, int]) -> Series:
    """Of sources and ids."""
    sources, ids = (np.array(column, np.int64) for column in zip(*given, strict=True))
    return Series(ids, sources, JOBS)


def test_new_series_past_the_limit_are_refused_and_others_go_on() -> None:
    limit = SeriesLimit(2, FakeClock())
    assert limit.over(series((0, 5), (0, 5), (0, 7), (0, 9))).tolist() == [False, False, False, True]
    assert limit.over(series((0, 7), (0, 1), (1, 1), (-1, 9))).tolist() == [False, True, False, False]


def test_what_a_source_stopped_to_write_makes_room() -> None:
    clock = FakeClock()
    limit = SeriesLimit(1, clock)
    assert not limit.over(series((0, 1))).any()
    assert limit.over(series((0, 2))).all()
    clock.advance(WINDOW_S + 1)
    assert not limit.over(series((0, 2))).any()


@given(st.lists(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30)), min_size=1), max_size=12))
def test_it_counts_as_a_set_does(requests: list[list[tuple[int, int]]]) -> None:
    limit = SeriesLimit(10, FakeClock())
    known: dict[int, set[int]] = {0: set(), 1: set()}
    for request in requests:
        found = limit.over(series(*request)).tolist()
        for (source, number), refused in zip(request, found, strict=True):
            own = known[source]
            if number not in own and len(own) < 10:
                own.add(number)
            assert refused == (number not in own)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_label_bomb_is_told_and_harms_no_other(
    tmp_path_factory: pytest.TempPathFactory, version: str
) -> None:
    folder = tmp_path_factory.mktemp("bomb")
    made = request_v1 if version == "1" else request_v2
    proto = "prometheus.WriteRequest" if version == "1" else "io.prometheus.write.v2.Request"
    headers = {"Content-Encoding": "snappy", "Content-Type": f"application/x-protobuf;proto={proto}"}
    bomb = [({"__name__": "m", "job": "bomb", "id": str(n)}, [(1000, 1.0)]) for n in range(50)]
    with Server(folder / "lake", {"VIGLA_COLLECTOR__MAX_SERIES_PER_SOURCE": "20"}) as server:

        def send(*rows: tuple[dict[str, str], list[tuple[int, float]]]) -> httpx.Response:
            return httpx.post(
                server.query_url + "/api/v1/write", content=packed(made(*rows)), headers=headers
            )

        refused = send(*bomb, ({"__name__": "m", "job": "fine"}, [(1000, 1.0)]))
        assert refused.status_code == 400
        assert "too many series of one job" in refused.text
        assert "collector.max_series_per_source" in refused.text
        assert refused.headers["x-prometheus-remote-write-samples-written"] == "21"
        assert send(*bomb[:20]).status_code == 204
        assert send(({"__name__": "n", "job": "fine"}, [(1000, 1.0)])).status_code == 204
        told = httpx.get(f"http://127.0.0.1:{server.ports.telemetry}/metrics").text
        assert 'vigla_collector_rejected_total{signal="remote_write",transport="http"} 30.0' in told
