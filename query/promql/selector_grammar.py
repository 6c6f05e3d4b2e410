"""Grammar of selectors and lists of labels: ``name{label="value"}``, ``by (label)``."""

import re

from query.promql.ast import Matcher, MatchOp, VectorSelector
from query.promql.errors import parse_error
from query.promql.gotext import quote
from query.promql.token_stream import TokenStream
from query.promql.tokens import GROUPING_LABELS, IDENTIFIER, STRING, Token
from vigla.prometheus.regex import RegexError, compile_regex

NAME_LABEL = "__name__"
_OPERATORS: dict[str, MatchOp] = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}
_LEGACY_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def named_selector(stream: TokenStream, name: Token) -> VectorSelector:
    """The selector whose name was just taken."""
    matchers = [Matcher(NAME_LABEL, "=", name.text)]
    if stream.accept("{"):
        matchers += _matchers(stream)
    return VectorSelector(stream.since(name.place), name.text, tuple(matchers))


def nameless_selector(stream: TokenStream, brace: Token) -> VectorSelector:
    """The selector whose opening brace was just taken."""
    matchers = _matchers(stream)
    return VectorSelector(stream.since(brace.place), "", tuple(matchers))


def grouping_labels(stream: TokenStream) -> tuple[str, ...]:
    """Labels in parentheses, as ``by``, ``on`` and ``group_left`` take."""
    if not stream.accept("("):
        raise stream.unexpected("grouping opts", '"("')
    labels: list[str] = []
    while not stream.accept(")"):
        labels.append(_grouping_label(stream))
        if not stream.accept(","):
            if stream.accept(")"):
                break
            raise stream.unexpected("grouping opts", '"," or ")"')
    return tuple(labels)


def _grouping_label(stream: TokenStream) -> str:
    token = stream.peek()
    if token.kind != STRING and token.kind not in GROUPING_LABELS:
        raise stream.unexpected("grouping opts", "label")
    stream.take()
    label = token.value if token.kind == STRING else token.text
    if token.kind == STRING:
        valid = label != "" and _SURROGATE.search(label) is None
    else:
        valid = _LEGACY_LABEL.fullmatch(label) is not None
    if not valid:
        raise parse_error(token.place, f"invalid label name for grouping: {quote(label)}")
    return label


def _matchers(stream: TokenStream) -> list[Matcher]:
    matchers: list[Matcher] = []
    while not stream.accept("}"):
        matchers.append(_matcher(stream))
        if not stream.accept(","):
            if stream.accept("}"):
                break
            raise stream.unexpected("label matching", '"," or "}"')
    return matchers


def _matcher(stream: TokenStream) -> Matcher:
    label = stream.accept(IDENTIFIER, STRING)
    if label is None:
        raise stream.unexpected("label matching", 'identifier or "}"')
    operator = stream.accept(*_OPERATORS)
    if operator is None:
        if label.kind == STRING:
            return Matcher(NAME_LABEL, "=", label.value)
        raise stream.unexpected("label matching", "label matching operator")
    value = stream.accept(STRING)
    if value is None:
        raise stream.unexpected("label matching", "string")
    if operator.kind in ("=~", "!~"):
        try:
            compile_regex(value.value)
        except RegexError as error:
            raise parse_error(label.place, str(error)) from error
    name = label.value if label.kind == STRING else label.text
    return Matcher(name, _OPERATORS[operator.kind], value.value)
