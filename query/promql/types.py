"""Types of expressions: checks them in Prometheus' order, with its messages."""

from dataclasses import replace

from query.promql.ast import (
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Place,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
)
from query.promql.errors import PromqlError, parse_error
from query.promql.gotext import quote
from query.promql.lexer import Lexer
from query.promql.matching import accepts
from query.promql.selector_grammar import NAME_LABEL
from query.promql.signatures import AGGREGATIONS, SIGNATURES, Signature
from query.promql.tokens import SET_OPERATORS

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_NAMES: dict[ValueType, str] = {
    "vector": "instant vector",
    "matrix": "range vector",
    "scalar": "scalar",
    "string": "string",
}
_FIXED: dict[type[Expr], ValueType] = {
    NumberLiteral: "scalar",
    StringLiteral: "string",
    VectorSelector: "vector",
    Aggregation: "vector",
    MatrixSelector: "matrix",
    Subquery: "matrix",
}


def type_of(expr: Expr) -> ValueType:
    """The type of a checked expression's value."""
    match expr:
        case Call():
            return SIGNATURES[expr.function].returns
        case Unary() | Paren():
            return type_of(expr.expr)
        case Binary():
            scalar = expr.matching is None and type_of(expr.left) == type_of(expr.right) == "scalar"
            return "scalar" if scalar else "vector"
        case _:
            return _FIXED[type(expr)]


def checked(expr: Expr, text: str) -> Expr:
    """The expression, with the matching of binary operations that do not pair two vectors taken out.

    Args:
        expr: as parsed from ``text``.
        text: gives the places of operators.

    Raises:
        PromqlError: types do not fit.
    """
    return _Checker(text).check(expr)


class _Checker:
    def __init__(self, text: str) -> None:
        self._text = text

    def check(self, expr: Expr) -> Expr:
        match expr:
            case Aggregation():
                return self._aggregation(expr)
            case Binary():
                return self._binary(expr)
            case Call():
                return self._call(expr)
            case Paren():
                return replace(expr, expr=self.check(expr.expr))
            case Unary() | Subquery():
                return self._inner(expr)
            case MatrixSelector():
                _check_selector(expr.vector)
            case VectorSelector():
                _check_selector(expr)
        return expr

    def _expect(self, expr: Expr, wanted: ValueType, context: str) -> Expr:
        result = self.check(expr)
        if type_of(result) != wanted:
            raise _wrong_type(expr.place, wanted, context, type_of(result))
        return result

    def _aggregation(self, expr: Aggregation) -> Expr:
        inner = self._expect(expr.expr, "vector", "aggregation expression")
        wanted = AGGREGATIONS[expr.op]
        parameter = expr.parameter
        if parameter is not None and wanted is not None:
            parameter = self._expect(parameter, wanted, "aggregation parameter")
        return replace(expr, expr=inner, parameter=parameter)

    def _inner(self, expr: Unary | Subquery) -> Expr:
        inner = self.check(expr.expr)
        found = type_of(inner)
        if isinstance(expr, Subquery):
            if found != "vector":
                message = f"subquery is only allowed on instant vector, got {found} instead"
                raise parse_error(expr.place, message)
        elif found not in {"scalar", "vector"}:
            message = "unary expression only allowed on expressions of type scalar or instant vector"
            raise parse_error(expr.place, f"{message}, got {quote(_NAMES[found])}")
        return replace(expr, expr=inner)

    def _call(self, expr: Call) -> Expr:
        signature = SIGNATURES[expr.function]
        _check_count(expr, signature)
        if expr.function == "info" and len(expr.arguments) > 1:
            return self._info(expr)
        arguments = tuple(
            self._expect(
                argument,
                signature.arguments[min(index, len(signature.arguments) - 1)],
                f"call to function {quote(expr.function)}",
            )
            for index, argument in enumerate(expr.arguments)
        )
        return replace(expr, arguments=arguments)

    def _info(self, expr: Call) -> Expr:
        """The second argument of ``info`` is a list of matchers, which may all accept the empty string."""
        context = f"call to function {quote(expr.function)}"
        vector, labels = expr.arguments
        if not isinstance(labels, VectorSelector):
            found = type_of(self.check(labels))
            if found != "vector":
                raise _wrong_type(expr.place, "vector", context, found)
            raise parse_error(labels.place, "expected label selectors only")
        if labels.name:
            raise parse_error(labels.place, "expected label selectors only, got vector selector instead")
        return replace(expr, arguments=(self._expect(vector, "vector", context), labels))

    def _binary(self, expr: Binary) -> Expr:
        expr = replace(expr, left=self.check(expr.left), right=self.check(expr.right))
        left, right = type_of(expr.left), type_of(expr.right)
        if expr.return_bool and expr.op not in COMPARISONS:
            raise self._at_operator(expr, "bool modifier can only be used on comparison operators")
        if expr.op in COMPARISONS and not expr.return_bool and left == right == "scalar":
            raise self._at_operator(expr, "comparisons between scalars must use BOOL modifier")
        self._check_labels(expr)
        for side, found in ((expr.left, left), (expr.right, right)):
            if found not in {"scalar", "vector"}:
                message = "binary expression must contain only scalar and instant vector types"
                raise parse_error(side.place, message)
        if left == right == "vector":
            _check_set_operator(expr)
            return expr
        return _without_matching(expr)

    def _check_labels(self, expr: Binary) -> None:
        matching = expr.matching
        if matching is None or not matching.on:
            return
        for label in matching.labels:
            if label in matching.include:
                message = f"label {quote(label)} must not occur in ON and GROUP clause at once"
                raise self._at_operator(expr, message)

    def _at_operator(self, expr: Binary, message: str) -> PromqlError:
        start = expr.left.place.end
        while self._text[start].isspace():
            start += 1
        return parse_error(Lexer(self._text).place(start, start), message)


def _check_count(expr: Call, signature: Signature) -> None:
    name, given, most = quote(expr.function), len(expr.arguments), len(signature.arguments)
    if signature.variadic == 0:
        if given != most:
            raise parse_error(expr.place, f"expected {most} argument(s) in call to {name}, got {given}")
        return
    least = most - 1
    if given < least:
        raise parse_error(expr.place, f"expected at least {least} argument(s) in call to {name}, got {given}")
    most = least + signature.variadic
    if signature.variadic > 0 and given > most:
        raise parse_error(expr.place, f"expected at most {most} argument(s) in call to {name}, got {given}")


def _check_set_operator(expr: Binary) -> None:
    matching = expr.matching
    if expr.op not in SET_OPERATORS or matching is None:
        return
    if matching.cardinality != "many-to-many":
        raise parse_error(expr.place, f"no grouping allowed for {quote(expr.op)} operation")
    if (matching.fill_left, matching.fill_right) != (None, None):
        raise parse_error(expr.place, "filling in missing series not allowed for set operators")


def _without_matching(expr: Binary) -> Expr:
    matching = expr.matching
    if matching is not None:
        if matching.labels:
            raise parse_error(expr.place, "vector matching only allowed between instant vectors")
        if (matching.fill_left, matching.fill_right) != (None, None):
            message = "filling in missing series only allowed between instant vectors"
            raise parse_error(expr.place, message)
    if expr.op in SET_OPERATORS:
        raise parse_error(
            expr.place, f"set operator {quote(expr.op)} not allowed in binary scalar expression"
        )
    return replace(expr, matching=None)


def _check_selector(selector: VectorSelector) -> None:
    if selector.name:
        for matcher in selector.matchers[1:]:
            if matcher.name == NAME_LABEL:
                names = f"{quote(selector.name)} or {quote(matcher.value)}"
                raise parse_error(selector.place, f"metric name must not be set twice: {names}")
    elif all(accepts(matcher, "") for matcher in selector.matchers):
        raise parse_error(selector.place, "vector selector must contain at least one non-empty matcher")


def _wrong_type(place: Place, wanted: ValueType, context: str, found: ValueType) -> PromqlError:
    return parse_error(place, f"expected type {_NAMES[wanted]} in {context}, got {_NAMES[found]}")
