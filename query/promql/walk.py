"""Going through a syntax tree."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from query.promql.ast import (
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly below, in the order written; of a matrix selector its vector selector."""
    match expr:
        case MatrixSelector():
            return (expr.vector,)
        case Call():
            return expr.arguments
        case Aggregation():
            return (expr.expr,) if expr.parameter is None else (expr.parameter, expr.expr)
        case Binary():
            return (expr.left, expr.right)
        case Subquery() | Unary() | Paren():
            return (expr.expr,)
        case _:
            return ()


def nodes(expr: Expr) -> Iterator[Expr]:
    """Every expression of the tree, parents first."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def height(expr: Expr) -> int:
    """Levels of the tree; a literal has one. Needs no recursion."""
    highest = 0
    waiting = [(expr, 1)]
    while waiting:
        node, level = waiting.pop()
        highest = max(highest, level)
        waiting.extend((child, level + 1) for child in children(node))
    return highest


def transform(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The tree with ``change`` applied to each expression, children first.

    A matrix selector is changed as a whole: its vector selector is not passed to ``change``.
    """
    match expr:
        case Call():
            return change(replace(expr, arguments=tuple(transform(each, change) for each in expr.arguments)))
        case Aggregation():
            parameter = None if expr.parameter is None else transform(expr.parameter, change)
            return change(replace(expr, parameter=parameter, expr=transform(expr.expr, change)))
        case Binary():
            return change(
                replace(expr, left=transform(expr.left, change), right=transform(expr.right, change))
            )
        case Subquery() | Unary() | Paren():
            return change(replace(expr, expr=transform(expr.expr, change)))
        case _:
            return change(expr)
