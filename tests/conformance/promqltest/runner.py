"""Evaluations with our engine, and what is not as expected of them."""

from collections.abc import Callable
from functools import lru_cache

from query.promql.ast import Expr
from query.promql.engine import Engine, EngineOptions, Result
from query.promql.errors import PromqlError
from query.promql.memory import MemorySeries
from query.promql.parser import parse
from query.promql.series import SeriesSource
from tests.conformance.promqltest.compare import Compared, Found, differences, message_differences
from tests.conformance.promqltest.results import compared
from tests.conformance.promqltest.script import Eval, Load
from tests.conformance.promqltest.storage import stored
from tests.conformance.promqltest.variants import at_variants, can_be_range
from vigla.errors import ViglaError
from vigla.storage.api import Stop

MINUTE_MS = 60_000
_ENGINE = Engine(
    EngineOptions(
        lookback_ms=5 * MINUTE_MS,
        max_samples=50_000_000,
        default_step_ms=MINUTE_MS,
        delayed_name_removal=True,
        use_start_times=True,
    )
)


def problems_as_written(case: Eval, source: SeriesSource | None = None) -> list[str]:
    """Problems of the evaluation itself, over a source that has the case's series; else over memory."""
    source = source or _source(case.loads)
    if case.step is None:
        return _problems(case, case.end, lambda: _ENGINE.instant(source, case.text, case.end, Stop()))
    start, end, step = case.start, case.end, case.step
    return _problems(case, end, lambda: _ENGINE.range(source, case.text, start, end, step, Stop()))


def problems_pinned(case: Eval) -> list[str]:
    """Problems of an instant query with ``@`` its own time on all selectors, at other times."""
    source = _source(case.loads)
    return [
        f"at {time}: {problem}"
        for expr, time in at_variants(case, parse(case.text))
        for problem in _problems(
            case, time, lambda expr=expr, time=time: _ENGINE.instant(source, expr, time, Stop())
        )
    ]


def problems_as_range(case: Eval) -> list[str]:
    """Problems of an instant query and its pinned variants as the middle step of a range query."""
    return [
        f"around {time}: {problem}"
        for expr, time in [(parse(case.text), case.end), *at_variants(case, parse(case.text))]
        for problem in _middle_problems(case, expr, time)
    ]


def has_pinned(case: Eval) -> bool:
    """Whether ``problems_pinned`` has anything to evaluate."""
    return _parses(case) and any(True for _ in at_variants(case, parse(case.text)))


def has_range(case: Eval) -> bool:
    """Whether ``problems_as_range`` may be asked."""
    return _parses(case) and can_be_range(case, parse(case.text))


def _parses(case: Eval) -> bool:
    try:
        parse(case.text)
    except PromqlError:
        return False
    return True


@lru_cache(1)  # evaluations of the same loads follow each other
def _source(loads: tuple[Load, ...]) -> MemorySeries:
    return stored(loads)


def _problems(case: Eval, time: int, evaluate: Callable[[], Result]) -> list[str]:
    fail = case.expected.fail
    try:
        result = evaluate()
    except ViglaError as error:
        return [] if fail is not None and fail.fits(str(error)) else [f"error: {error}"]
    if fail is not None:
        return ["it does not fail"]

    found = compared(result.value)
    return [
        *differences(case, found, time),
        *message_differences(case.expected, result.warnings, result.infos),
    ]


def _middle_problems(case: Eval, expr: Expr, time: int) -> list[str]:
    source = _source(case.loads)
    try:
        result = _ENGINE.range(source, expr, time - MINUTE_MS, time + MINUTE_MS, MINUTE_MS, Stop())
    except ViglaError as error:
        return [f"error: {error}"]
    found = compared(result.value)
    if not isinstance(found, list):
        return [f"a range query gives {found!r}"]
    return differences(case, _at(found, time, scalar=case.expected.scalar is not None), time)


def _at(found: list[Found], time: int, *, scalar: bool) -> Compared:
    middle = [Found(each.labels, tuple(s for s in each.samples if s[0] == time)) for each in found]
    middle = [each for each in middle if each.samples]
    if scalar and middle and isinstance(middle[0].samples[0][1], float):
        return middle[0].samples[0][1]
    return middle
