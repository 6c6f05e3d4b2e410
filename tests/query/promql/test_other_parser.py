"""Our trees against those of another parser (``promql-parser``), on all expressions of the cases."""

import json
import re
from datetime import timedelta
from typing import Any

import promql_parser
import pytest

from query.promql.ast import (
    Aggregation,
    AtBound,
    Binary,
    Call,
    Duration,
    DurationNumber,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from query.promql.errors import PromqlError
from query.promql.parser import parse
from query.promql.signatures import SIGNATURES
from tests.conformance.conftest import CASES
from tests.conformance.promqltest.script import read_script

FOLDER = CASES / "promql"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no conformance cases: {FOLDER} is absent")

NEWER = re.compile(
    r"anchored|smoothed|</|>/|min_of|max_of|range\(\)|step\(\)|offset\s*[-+]?\s*\(|\[[^\]]*[-+*/%^(][^\]]*\]|info\(",
    re.IGNORECASE,
)
"""What that parser rejects, as it does not know it yet."""

_OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def _texts() -> list[str]:
    texts = {case.text for path in sorted(FOLDER.glob("*.test")) for case in read_script(path)}
    compliance = FOLDER / "compliance-expanded-539.json"
    if compliance.is_file():
        texts |= {text for text, _ in json.loads(compliance.read_text())}
    return sorted(texts)


def _other(text: str) -> object:
    """The shape that the other parser finds; None: it rejects the text."""
    try:
        return _other_shape(promql_parser.parse(text))
    except ValueError:
        return None


@pytest.mark.parametrize("text", _texts() if FOLDER.is_dir() else [])
def test_same_tree(text: str):
    other = _other(text)
    if r"\x" in text:
        return  # it reads a byte as a character
    if other is None:
        assert NEWER.search(text) or _rejected(text), "only the other parser rejects it"
    else:
        assert _shape(parse(text)) == other


def _rejected(text: str) -> bool:
    try:
        parse(text)
    except PromqlError:
        return True
    return False


def _shape(expr: Expr) -> object:  # noqa: C901, PLR0911 - one case for each kind of node
    match expr:
        case NumberLiteral():
            return repr(expr.value)
        case StringLiteral():
            return expr.value
        case Paren():
            return ["()", _shape(expr.expr)]
        case Unary():  # the other parser drops plus signs
            return ["-", _shape(expr.expr)] if expr.op == "-" else _shape(expr.expr)
        case VectorSelector():
            name = [m for m in expr.matchers if m.name != "__name__" or not expr.name]
            return [
                expr.name,
                sorted((m.name, m.op, m.value) for m in name),
                _bound(expr.at),
                _ms(expr.offset),
            ]
        case MatrixSelector():
            return ["[]", _shape(expr.vector), _ms(expr.range)]
        case Subquery():
            inner = _shape(expr.expr)
            return ["[:]", inner, _ms(expr.range), _ms(expr.step), _bound(expr.at), _ms(expr.offset)]
        case Call():
            return [expr.function, *map(_shape, expr.arguments)]
        case Aggregation():
            parameter = None if expr.parameter is None else _shape(expr.parameter)
            grouping = sorted(expr.grouping)
            return [expr.op, _shape(expr.expr), parameter, grouping, expr.without]
        case Binary():
            return [expr.op, _shape(expr.left), _shape(expr.right), expr.return_bool, _pairing(expr)]


def _bound(at: object) -> object:
    return str(at) if isinstance(at, AtBound) else at


def _ms(duration: Duration | None) -> int:
    assert duration is None or isinstance(duration, DurationNumber)
    return 0 if duration is None else round(duration.seconds * 1000)


def _pairing(expr: Binary) -> object:
    matching = expr.matching
    if matching is None:
        return None
    chosen = [matching.on, sorted(matching.labels)] if matching.on or matching.labels else None
    return [matching.cardinality.replace("-", ""), chosen, sorted(matching.include)]


def _other_shape(expr: Any) -> object:  # noqa: C901, PLR0911 - one case for each kind of node
    """The other parser's tree in the form of ``_shape``."""
    match type(expr).__name__:
        case "NumberLiteral":
            return repr(expr.val)
        case "StringLiteral":
            return expr.val
        case "ParenExpr":
            return ["()", _other_shape(expr.expr)]
        case "UnaryExpr":
            return ["-", _other_shape(expr.expr)]
        case "VectorSelector":
            matchers = sorted((m.name, _OPERATORS[str(m.op)], m.value) for m in expr.matchers.matchers)
            return [expr.name or "", matchers, _other_bound(expr.at), _other_ms(expr.offset)]
        case "MatrixSelector":
            return ["[]", _other_shape(expr.vector_selector), _other_ms(expr.range)]
        case "SubqueryExpr":
            times = [
                _other_ms(expr.range),
                _other_ms(expr.step),
                _other_bound(expr.at),
                _other_ms(expr.offset),
            ]
            return ["[:]", _other_shape(expr.expr), *times]
        case "Call":
            return [expr.func.name, *map(_other_shape, expr.args)]
        case "AggregateExpr":
            parameter = None if expr.param is None else _other_shape(expr.param)
            labels = sorted(expr.modifier.labels) if expr.modifier else []
            without = expr.modifier is not None and str(expr.modifier.type).endswith("Without")
            return [str(expr.op), _other_shape(expr.expr), parameter, labels, without]
        case "BinaryExpr":
            flag = expr.modifier is not None and expr.modifier.return_bool
            sides = [_other_shape(expr.lhs), _other_shape(expr.rhs)]
            return [str(expr.op), *sides, flag, _other_pairing(expr)]
    raise AssertionError(expr)


def _other_bound(at: Any) -> object:
    if at is None:
        return None
    kind = str(at.type).rpartition(".")[2].lower()
    return kind if kind in {"start", "end"} else round(at.at.timestamp() * 1000)


def _other_ms(duration: timedelta | None) -> int:
    return 0 if duration is None else round(duration.total_seconds() * 1000)


def _other_pairing(expr: Any) -> object:
    vectors = _is_vector(expr.lhs) and _is_vector(expr.rhs)
    if not vectors:
        return None
    modifier = expr.modifier
    if modifier is None:
        return ["onetoone", None, []]
    chosen = None
    if modifier.matching is not None:
        chosen = [str(modifier.matching.type).endswith("Include"), sorted(modifier.matching.labels)]
        chosen = None if chosen == [False, []] else chosen
    cardinality = str(modifier.card).rpartition(".")[2].lower()
    return [cardinality, chosen, sorted(modifier.group_labels or [])]


def _is_vector(expr: Any) -> bool:
    name = type(expr).__name__
    if name in {"ParenExpr", "UnaryExpr"}:
        return _is_vector(expr.expr)
    if name == "BinaryExpr":
        return _is_vector(expr.lhs) or _is_vector(expr.rhs)
    if name == "Call":
        return SIGNATURES[expr.func.name].returns == "vector"
    return name in {"VectorSelector", "AggregateExpr"}
