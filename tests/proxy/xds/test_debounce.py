"""Bursts of changes are acted on once, and not put off for ever."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.xds.debounce import Debounce


def test_nothing_is_due_before_something_happens():
    made = Debounce(1.0, 5.0)

    assert made.remaining(0.0) is None
    assert made.take(100.0) is None


def test_it_is_due_once_after_quiet():
    made = Debounce(1.0, 5.0)
    made.event(10.0)
    made.event(10.5)

    assert made.take(11.4) is None
    assert made.remaining(11.0) == 0.5
    assert made.take(11.5) == 10.0
    assert made.take(99.0) is None


def test_it_is_due_at_the_limit_though_it_is_never_quiet():
    made = Debounce(1.0, 5.0)
    for step in range(10):
        made.event(step * 0.5)

    assert made.take(4.9) is None
    assert made.take(5.0) == 0.0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_every_event_is_acted_on_within_the_limit(gaps: list[float]):
    made, now, waiting = Debounce(1.0, 5.0), 0.0, None
    for gap in gaps:
        end = now + gap
        while (left := made.remaining(now)) is not None and now + left <= end:
            now += left
            assert made.take(now) == waiting
            assert waiting is not None
            assert now - waiting <= 5.0 + 1e-9
            waiting = None
        now = max(now, end)
        made.event(now)
        waiting = now if waiting is None else waiting
    assert made.take(now + 5.0) == waiting
