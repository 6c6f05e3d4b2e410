"""Syntax tree to PromQL on several lines, as Prometheus' ``/api/v1/format_query`` gives it."""

from query.promql.ast import Aggregation, Binary, Call, Expr, Paren, Subquery, Unary
from query.promql.printer import (
    format_aggregation_head,
    format_expr,
    format_operator,
    format_subquery_range,
)

_LINE = 100  # characters that stay on one line
_INDENT = "  "


def prettify(expr: Expr) -> str:
    """The expression, each part that is longer than a line broken and indented."""
    return _pretty(expr, 0)


def _pretty(expr: Expr, level: int) -> str:
    indent = _INDENT * level
    line = format_expr(expr)
    match expr:
        case Unary():
            return f"{indent}{expr.op}{_pretty(expr.expr, level).strip()}"
        case Aggregation() | Call() | Binary() | Paren() | Subquery() if len(line) > _LINE:
            return _broken(expr, level)
        case _:
            return indent + line


def _broken(expr: Aggregation | Call | Binary | Paren | Subquery, level: int) -> str:
    indent = _INDENT * level
    match expr:
        case Aggregation():
            parts = [expr.expr] if expr.parameter is None else [expr.parameter, expr.expr]
            return _block(indent + format_aggregation_head(expr), parts, level)
        case Call():
            return _block(indent + expr.function, list(expr.arguments), level)
        case Paren():
            return _block(indent, [expr.expr], level)
        case Binary():
            left, right = _pretty(expr.left, level + 1), _pretty(expr.right, level + 1)
            return f"{left}\n{indent}{format_operator(expr)}\n{right}"
        case Subquery():
            return _pretty(expr.expr, level) + format_subquery_range(expr)


def _block(head: str, parts: list[Expr], level: int) -> str:
    inner = ",\n".join(_pretty(part, level + 1) for part in parts)
    return f"{head}(\n{inner}\n{_INDENT * level})"
