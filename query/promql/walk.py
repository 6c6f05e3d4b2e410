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


def map_children(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with ``change`` applied to each directly below it; selectors have none here."""
    match expr:
        case Call():
            return replace(expr, arguments=tuple(map(change, expr.arguments)))
        case Aggregation():
            parameter = None if expr.parameter is None else change(expr.parameter)
            return replace(expr, parameter=parameter, expr=change(expr.expr))
        case Binary():
            return replace(expr, left=change(expr.left), right=change(expr.right))
        case Subquery() | Unary() | Paren():
            return replace(expr, expr=change(expr.expr))
        case _:
            return expr


def transform(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The tree with ``change`` applied to each expression, children first.

    A matrix selector is changed as a whole: its vector selector is not passed to ``change``.
    """
    return change(map_children(expr, lambda child: transform(child, change)))
