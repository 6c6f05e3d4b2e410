"""Syntax trees as hypothesis strategies, and trees without what formatting loses."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import strategies as st

from query.promql.ast import (
    Aggregation,
    AtBound,
    Binary,
    Call,
    DurationCall,
    DurationNumber,
    DurationOperation,
    Expr,
    Extension,
    Matcher,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Place,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from query.promql.signatures import AGGREGATIONS

NOWHERE = Place(0, 0)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=5)
LABELS = st.one_of(st.sampled_from(["a", "b", "le", "by", "x.y"]), TEXTS.filter(bool))
OFFSETS = st.integers(-10_000_000, 10_000_000).filter(bool)

durations = st.recursive(
    st.one_of(
        st.integers(1, 10**9).map(lambda ms: DurationNumber(NOWHERE, ms / 1000, written_as_number=False)),
        st.integers(1, 999).map(lambda s: DurationNumber(NOWHERE, float(s), written_as_number=True)),
        st.sampled_from(["step", "range"]).map(lambda name: DurationCall(NOWHERE, name)),
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda op, left, right: DurationOperation(NOWHERE, op, _wrapped(left), _wrapped(right)),
            st.sampled_from(["+", "-", "*", "/", "%", "^"]),
            inner,
            inner,
        ),
        st.builds(lambda right: DurationOperation(NOWHERE, "-", None, _wrapped(right)), inner).filter(
            lambda each: not isinstance(each.right, DurationNumber)
        ),
        st.builds(
            lambda name, one, two: DurationCall(NOWHERE, name, (one, two)),
            st.sampled_from(["min_of", "max_of"]),
            inner,
            inner,
        ),
    ),
    max_leaves=4,
)


def _wrapped(duration: Any) -> Any:
    is_operation = isinstance(duration, DurationOperation)
    return replace(duration, in_parentheses=True) if is_operation else duration


offsets = st.one_of(
    st.none(),
    OFFSETS.map(lambda ms: DurationNumber(NOWHERE, ms / 1000, written_as_number=False)),
    durations.map(_wrapped),
)
ats = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.sampled_from(AtBound))
matchers = st.builds(Matcher, LABELS, st.sampled_from(["=", "!="]), TEXTS) | st.builds(
    Matcher, LABELS, st.sampled_from(["=~", "!~"]), st.sampled_from(["a.*", "", "x|y"])
)


@st.composite
def vectors(draw: st.DrawFn, *, plain: bool = False) -> VectorSelector:
    """Selectors; ``plain`` ones have no modifiers."""
    name = draw(st.sampled_from(["up", "a:b", "sum", "offset"]))
    rest = [each for each in draw(st.lists(matchers, max_size=3)) if each.name != "__name__"]
    rest.sort(key=repr)
    selector = VectorSelector(NOWHERE, name, (Matcher("__name__", "=", name), *rest))
    if plain:
        return selector
    extension = draw(st.one_of(st.none(), st.sampled_from(Extension)))
    return replace(selector, offset=draw(offsets), at=draw(ats), extension=extension)


matrices = st.builds(lambda vector, length: MatrixSelector(NOWHERE, vector, length), vectors(), durations)
numbers = st.floats(0, 1e18).map(lambda value: NumberLiteral(NOWHERE, value))


@st.composite
def matchings(draw: st.DrawFn) -> Matching:
    """How two vectors are paired."""
    on = draw(st.booleans())
    labels = tuple(draw(st.lists(LABELS, max_size=2)))
    kind = draw(st.sampled_from(["one-to-one", "many-to-one", "one-to-many"]))
    include = () if kind == "one-to-one" else tuple(draw(st.lists(LABELS, max_size=2)))
    fills = st.one_of(st.none(), st.floats(-1e9, 1e9))
    include = tuple(each for each in include if each not in labels)
    return Matching(kind, labels, on, include, draw(fills), draw(fills))


def _vector_operations(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    paren = inner.map(lambda expr: Paren(NOWHERE, expr))
    return st.one_of(
        paren,
        st.builds(lambda op, expr: Unary(NOWHERE, op, expr), st.sampled_from(["+", "-"]), paren),
        st.builds(lambda name, expr: Call(NOWHERE, name, (expr,)), st.sampled_from(["abs", "sort"]), inner),
        st.builds(lambda expr: Call(NOWHERE, "rate", (expr,)), matrices),
        st.builds(lambda expr, text: Call(NOWHERE, "sort_by_label", (expr, text)), inner, TEXTS.map(_string)),
        st.builds(
            _aggregation, st.sampled_from(sorted(AGGREGATIONS)), inner, st.lists(LABELS), st.booleans()
        ),
        st.builds(
            lambda op, left, right, matching: Binary(NOWHERE, op, left, right, matching=matching),
            st.sampled_from(["+", "atan2", "^", "==", "</"]),
            paren,
            paren,
            matchings(),
        ),
        st.builds(
            lambda expr, number, flag: Binary(NOWHERE, "<=", expr, number, return_bool=flag),
            paren,
            numbers,
            st.booleans(),
        ),
        st.builds(
            lambda expr, length, step, offset, at: Call(
                NOWHERE, "sum_over_time", (Subquery(NOWHERE, expr, length, step, offset, at),)
            ),
            paren,
            durations,
            st.one_of(st.none(), durations),
            offsets,
            ats,
        ),
    )


def _string(text: str) -> StringLiteral:
    return StringLiteral(NOWHERE, text)


def _aggregation(op: str, expr: Expr, labels: list[str], without: bool) -> Aggregation:  # noqa: FBT001
    parameters = {"scalar": NumberLiteral(NOWHERE, 5.0), "string": _string("x"), None: None}
    return Aggregation(NOWHERE, op, expr, parameters[AGGREGATIONS[op]], tuple(labels), without)


expressions = st.recursive(vectors(), _vector_operations, max_leaves=6)


def normal(value: Any) -> Any:
    """A tree with all places the same, matchers sorted and durations as milliseconds."""
    if isinstance(value, Place):
        return NOWHERE
    if isinstance(value, DurationNumber):
        return ("ms", round(value.seconds * 1000))
    if isinstance(value, VectorSelector):
        rest = tuple(sorted(value.matchers[1:] if value.name else value.matchers, key=repr))
        value = replace(value, matchers=rest)
    if isinstance(value, tuple):
        return tuple(map(normal, value))
    if is_dataclass(value):
        return (type(value), *(normal(getattr(value, each.name)) for each in fields(value)))
    return repr(value)
