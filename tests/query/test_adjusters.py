"""What reading corrects, and that no shape of a trace makes it hang."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from query.traces.adjusters.pipeline import adjusted
from query.traces.model import CLIENT, SERVER, Event, Link, Span, Trace

TRACE = "0" * 31 + "1"
MS = 1_000_000


def span(span_id: str, parent_id: str = "", **fields: Any) -> Span:
    defaults: dict[str, Any] = {
        "trace_id": TRACE,
        "ts": 100 * MS,
        "dur": 100 * MS,
        "service": "shop",
        "name": "op",
        "kind": 1,
        "status_code": 0,
        "status_message": "",
        "trace_state": "",
        "flags": 0,
        "scope": {},
        "resource": {"service.name": "shop", "host.name": "a"},
        "attributes": {},
    }
    return Span(span_id=span_id, parent_id=parent_id, **(defaults | fields))


def adjust(*spans: Span, skew_ms: int = 0) -> list[Span]:
    return list(adjusted(Trace(TRACE, spans), skew_ms * MS).spans)


def test_a_shared_id_is_split_and_children_go_to_the_server():
    client, server, child = adjust(
        span("a1", kind=CLIENT, ts=100), span("a1", kind=SERVER, ts=110), span("b1", "a1", ts=120)
    )
    assert client.span_id == "a1"
    assert server.parent_id == "a1"
    assert server.span_id not in ("a1", "b1")
    assert child.parent_id == server.span_id


def test_attributes_are_sorted_at_every_level():
    [shown] = adjust(
        span(
            "a1",
            attributes={"z": 1, "a": 2},
            resource={"y": 1, "b": 2},
            events=(Event(1, "e", {"d": 1, "c": 2}),),
            links=(Link(TRACE, "b1", "", 0, {"f": 1, "e": 2}),),
        )
    )
    assert list(shown.attributes) == ["a", "z"]
    assert list(shown.resource) == ["b", "y"]
    assert list(shown.events[0].attributes) == ["c", "d"]
    assert list(shown.links[0].attributes) == ["e", "f"]


def test_repeated_spans_are_shown_once_and_similar_ones_both():
    assert len(adjust(span("a1"), span("a1"), span("a1", name="other"))) == 2


def test_a_child_of_another_host_is_centred_in_its_parent():
    other = {"service.name": "shop", "host.name": "b"}
    parent, child = adjust(
        span("a1"), span("b1", "a1", ts=20 * MS, dur=50 * MS, resource=other), skew_ms=1000
    )[::-1][:2][::-1]
    moved = child if child.span_id == "b1" else parent
    assert moved.ts == 125 * MS
    assert "adjusted by" in moved.warnings[0]


def test_a_correction_above_the_bound_is_not_made():
    other = {"service.name": "shop", "host.name": "b"}
    skewed = next(
        s
        for s in adjust(span("a1"), span("b1", "a1", ts=20 * MS, dur=50 * MS, resource=other), skew_ms=1)
        if s.span_id == "b1"
    )
    assert skewed.ts == 20 * MS
    assert "max clock skew exceeded" in skewed.warnings[0]


def test_no_correction_on_one_host_or_when_off():
    same = adjust(span("a1"), span("b1", "a1", ts=20 * MS, dur=50 * MS), skew_ms=1000)
    assert {s.ts for s in same} == {100 * MS, 20 * MS}
    other = {"service.name": "shop", "host.name": "b"}
    off = adjust(span("a1"), span("b1", "a1", ts=20 * MS, dur=50 * MS, resource=other))
    assert {s.ts for s in off} == {100 * MS, 20 * MS}


def test_numeric_addresses_are_dotted():
    [shown] = adjust(span("a1", attributes={"ip": 0x0A000001, "peer.ipv4": 1, "other": 5}))
    assert shown.attributes == {"ip": "10.0.0.1", "peer.ipv4": "0.0.0.1", "other": 5}


def test_library_attributes_move_to_the_resource():
    [shown] = adjust(span("a1", attributes={"telemetry.sdk.name": "otel", "k": 1}))
    assert shown.attributes == {"k": 1}
    assert shown.resource["telemetry.sdk.name"] == "otel"


def test_a_library_attribute_that_contradicts_the_resource_stays():
    resource = {"service.name": "shop", "telemetry.sdk.name": "a"}
    [shown] = adjust(span("a1", resource=resource, attributes={"telemetry.sdk.name": "b"}))
    assert shown.attributes == {"telemetry.sdk.name": "b"}
    assert "conflicting" in shown.warnings[0]


def test_links_to_nothing_are_dropped():
    [shown] = adjust(span("a1", links=(Link("0" * 32, "0" * 16, "", 0, {}), Link(TRACE, "b1", "", 0, {}))))
    assert [link.span_id for link in shown.links] == ["b1"]


IDS = st.sampled_from(["a1", "b1", "c1", "d1"])
SPANS = st.builds(
    span,
    IDS,
    st.one_of(st.just(""), IDS),
    kind=st.sampled_from([1, CLIENT, SERVER]),
    ts=st.integers(0, 2**62),
    dur=st.integers(0, 2**61),
    resource=st.sampled_from([{"service.name": "s", "host.name": h} for h in "ab"]),
)


@given(st.lists(SPANS, max_size=8))
def test_cycles_and_shared_ids_never_hang_and_lose_nothing(spans: list[Span]):
    shown = adjust(*spans, skew_ms=10**9)
    assert {s.name for s in shown} == {s.name for s in spans}
    assert len(shown) <= len(spans)
