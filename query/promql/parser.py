"""PromQL text to syntax tree: a Pratt parser of Prometheus 3.14's grammar, with its error messages."""

from dataclasses import replace
from functools import lru_cache

from query.promql.ast import (
    Aggregation,
    Binary,
    Call,
    Expr,
    Matcher,
    NumberLiteral,
    Paren,
    Place,
    StringLiteral,
    Unary,
    VectorSelector,
)
from query.promql.errors import parse_error
from query.promql.literals import number_literal
from query.promql.matching_grammar import matching
from query.promql.postfix_grammar import with_postfixes
from query.promql.selector_grammar import grouping_labels, named_selector, nameless_selector
from query.promql.signatures import AGGREGATIONS, SIGNATURES
from query.promql.token_stream import TokenStream
from query.promql.tokens import (
    BOUNDS,
    DURATION,
    DURATION_FUNCTIONS,
    END,
    IDENTIFIER,
    METRIC_NAMES,
    NUMBER,
    STRING,
    Token,
)
from query.promql.types import checked
from query.promql.walk import height

MAX_DEPTH = 150
"""Levels that a tree may have, so that code that walks it may recurse."""

_MAX_NESTING = 80  # each level takes the parser up to six calls of Python's thousand
_CACHED = 1000  # texts whose tree is kept
_PRECEDENCE = {
    **dict.fromkeys(["or"], 1),
    **dict.fromkeys(["and", "unless"], 2),
    **dict.fromkeys(["==", "!=", "<", "<=", ">", ">=", "</", ">/"], 3),
    **dict.fromkeys(["+", "-"], 4),
    **dict.fromkeys(["*", "/", "%", "atan2"], 5),
    "^": 6,
}
_POWER = _PRECEDENCE["^"]
_CALLABLE = {IDENTIFIER} | BOUNDS | DURATION_FUNCTIONS
_BEGINNINGS = METRIC_NAMES | {"(", "{", "+", "-", NUMBER, DURATION, STRING}
_BEHIND_METRIC = _PRECEDENCE.keys() | {"{", "[", "@", ")", ",", "offset", "anchored", "smoothed", END}


@lru_cache(_CACHED)
def parse(text: str) -> Expr:
    """The syntax tree of a query, its types checked.

    Raises:
        PromqlError: it is no PromQL; the message begins with line and column.
    """
    parser = _Parser(text)
    expr = parser.whole()
    if height(expr) > MAX_DEPTH:
        raise _too_deep(expr.place, MAX_DEPTH)
    return checked(expr, text)


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a selector, as ``match[]`` takes it; they may all accept the empty string.

    Raises:
        PromqlError: it is no selector, or has modifiers.
    """
    return _Parser(text).selector().matchers


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._stream = TokenStream(text)
        self._depth = 0

    def whole(self) -> Expr:
        if self._stream.peek().kind == END:
            where = Place(0, 0) if self._text else "unknown position"
            raise parse_error(where, "no expression found in input")
        expr = self._expression(0)
        self._stream.expect(END)
        return expr

    def selector(self) -> VectorSelector:
        token = self._stream.accept("{", *METRIC_NAMES)
        if token is None:
            raise self._stream.unexpected()
        named = token.kind != "{"
        found = named_selector(self._stream, token) if named else nameless_selector(self._stream, token)
        self._stream.expect(END)
        return found

    def _expression(self, minimum: int) -> Expr:
        """Read operators that bind at least as tight as ``minimum``."""
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise _too_deep(self._stream.peek().place, _MAX_NESTING)
        left = self._operand()
        links = 0
        while True:
            operator = self._stream.peek().kind
            precedence = _PRECEDENCE.get(operator)
            if precedence is None or precedence < minimum:
                self._depth -= 1
                return left
            links += 1
            if links >= MAX_DEPTH:
                raise _too_deep(self._stream.peek().place, MAX_DEPTH)
            self._stream.take()
            pairing, return_bool = matching(self._stream, operator)
            right = self._expression(precedence + (operator != "^"))
            where = self._stream.since(left.place)
            left = Binary(where, operator, left, right, return_bool, pairing)

    def _operand(self) -> Expr:
        sign = self._stream.accept("+", "-")
        if sign is None:
            return with_postfixes(self._stream, self._primary())
        operand = self._expression(_POWER)
        where = self._stream.since(sign.place)
        if isinstance(operand, NumberLiteral):
            value = -operand.value if sign.kind == "-" else operand.value
            return replace(operand, place=where, value=value)
        return Unary(where, "-" if sign.kind == "-" else "+", operand)

    def _primary(self) -> Expr:
        kind = self._stream.peek().kind
        if kind not in _BEGINNINGS:
            raise self._stream.unexpected()
        token = self._stream.take()
        if kind in (NUMBER, DURATION):
            return number_literal(token)
        if kind == STRING:
            return StringLiteral(token.place, token.value)
        if kind == "{":
            return nameless_selector(self._stream, token)
        if kind == "(":
            inner = self._expression(0)
            self._stream.expect(")")
            return Paren(self._stream.since(token.place), inner)
        return self._named(token)

    def _named(self, name: Token) -> Expr:
        following = self._stream.peek().kind
        if name.kind in AGGREGATIONS and following not in _BEHIND_METRIC:
            with self._stream.inside("aggregation"):
                return self._aggregation(name)
        if name.kind in _CALLABLE and following == "(":
            return self._call(name)
        return named_selector(self._stream, name)

    def _call(self, name: Token) -> Expr:
        arguments = self._arguments()
        function = name.text if name.kind == IDENTIFIER else name.kind
        if function not in SIGNATURES:
            raise parse_error(name.place, f'unknown function with name "{function}"')
        return Call(self._stream.since(name.place), function, arguments)

    def _aggregation(self, name: Token) -> Expr:
        modifier = self._stream.accept("by", "without")
        grouping = grouping_labels(self._stream) if modifier else ()
        if self._stream.peek().kind != "(":
            raise self._stream.unexpected()
        arguments = self._arguments()
        if modifier is None:
            modifier = self._stream.accept("by", "without")
            grouping = grouping_labels(self._stream) if modifier else ()
        where = self._stream.since(name.place)
        expr, parameter = _divided(name.kind, arguments, where)
        without = modifier is not None and modifier.kind == "without"
        return Aggregation(where, name.kind, expr, parameter, grouping, without)

    def _arguments(self) -> tuple[Expr, ...]:
        self._stream.expect("(")
        if self._stream.accept(")"):
            return ()
        arguments = [self._expression(0)]
        while comma := self._stream.accept(","):
            if self._stream.peek().kind not in _BEGINNINGS:
                raise parse_error(comma.place, "trailing commas not allowed in function call args")
            arguments.append(self._expression(0))
        self._stream.expect(")")
        return tuple(arguments)


def _divided(operation: str, arguments: tuple[Expr, ...], where: Place) -> tuple[Expr, Expr | None]:
    """The expression of an aggregation and its parameter."""
    if not arguments:
        raise parse_error(where, "no arguments for aggregate expression provided")
    wanted = 1 if AGGREGATIONS[operation] is None else 2
    if len(arguments) != wanted:
        message = "wrong number of arguments for aggregate expression provided"
        raise parse_error(where, f"{message}, expected {wanted}, got {len(arguments)}")
    return arguments[-1], arguments[0] if wanted > 1 else None


def _too_deep(place: Place, most: int) -> Exception:
    return parse_error(place, f"expression is nested more than {most} levels deep: divide it")
