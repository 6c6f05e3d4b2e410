"""Trees to text: one line, several lines, JSON."""

import json

import pytest
from hypothesis import given

from query.promql.ast import Expr
from query.promql.parser import parse
from query.promql.prettifier import prettify
from query.promql.printer import format_expr
from query.promql.tree_json import tree_json
from tests.query.promql.trees import expressions, normal


@given(expressions)
def test_what_is_formatted_parses_to_the_same(expr: Expr):
    text = format_expr(expr)
    assert normal(parse(text)) == normal(expr)
    assert format_expr(parse(text)) == text
    assert normal(parse(prettify(expr))) == normal(expr)
    json.dumps(tree_json(expr))


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("sum by(a,b)(rate(x{b='2',a=\"1\"}[90s]))", 'sum by (a, b) (rate(x{a="1",b="2"}[1m30s]))'),
        ("sum(x)without(a)", "sum without (a) (x)"),
        ("a*on()group_left b", "a * on () group_left () b"),
        ("a+ignoring()b", "a + b"),
        ("a==bool 1e3", "a == bool 1000"),
        ("1e21+NaN", "1000000000000000000000 + NaN"),
        ("x[1h:]offset 1m@start()", "x[1h:] @ start() offset 1m"),
        ("{'a.b'}", '{__name__="a.b"}'),
        ("x[(step()*2)+1m]", "x[(step() * 2) + 1m]"),
        ("'\\n\\x00é\\xff'", '"\\n\\x00é\\xff"'),
        ("8d", "8d"),
        ("x offset 0s", "x"),
        ("a+fill(1)b", "a + fill (1) b"),
    ],
)
def test_one_line(text: str, formatted: str):
    assert format_expr(parse(text)) == formatted


def test_short_expressions_stay_on_a_line():
    assert prettify(parse("sum(rate(x[5m]))by(a)>0")) == "sum by (a) (rate(x[5m])) > 0"


def test_long_expressions_are_broken():
    text = (
        "topk by (job) (5, sum by (job) "
        '(rate(http_requests_total{job="api", zone="here", handler="/long/path"}[5m])))'
        " / on (job) group_left (owner) (-another_metric_with_a_much_longer_name)"
    )
    assert prettify(parse(text)).splitlines() == [
        "  topk by (job) (",
        "    5,",
        '    sum by (job) (rate(http_requests_total{handler="/long/path",job="api",zone="here"}[5m]))',
        "  )",
        "/ on (job) group_left (owner)",
        "  (-another_metric_with_a_much_longer_name)",
    ]


def test_tree_as_json():
    assert tree_json(parse('sum by (a) (rate(x{b="1"}[5m] offset 1m)) > bool 0')) == {
        "type": "binaryExpr",
        "op": ">",
        "lhs": {
            "type": "aggregation",
            "op": "sum",
            "expr": {
                "type": "call",
                "func": {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"},
                "args": [
                    {
                        "type": "matrixSelector",
                        "name": "x",
                        "range": 300_000,
                        "offset": 60_000,
                        "matchers": [
                            {"name": "b", "type": "=", "value": "1"},
                            {"name": "__name__", "type": "=", "value": "x"},
                        ],
                        "timestamp": None,
                        "startOrEnd": None,
                        "anchored": False,
                        "smoothed": False,
                    }
                ],
            },
            "param": None,
            "grouping": ["a"],
            "without": False,
        },
        "rhs": {"type": "numberLiteral", "val": "0"},
        "matching": None,
        "bool": True,
    }
