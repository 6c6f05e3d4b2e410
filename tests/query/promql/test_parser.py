"""Texts to trees: what the grammar has, where things are, and the words of its errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.promql.ast import (
    Aggregation,
    AtBound,
    Binary,
    Call,
    Extension,
    Matcher,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from query.promql.errors import PromqlError
from query.promql.parser import MAX_DEPTH, parse, parse_selector
from query.promql.printer import format_expr
from query.promql.signatures import AGGREGATIONS, SIGNATURES
from vigla.errors import QueryError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", 1000),
        ("0x_1F", 31),
        ("0xFE", 254),
        ("0755", 493),
        ("08", 8),
        ("-.5e-1", -0.05),
        ("1h30m", 5400),
        ("-5ms", -0.005),
        ("+inF", float("inf")),
        ("2.", 2),
        ("--1", 1),
    ],
)
def test_numbers(text: str, value: float):
    expr = parse(text)
    assert isinstance(expr, NumberLiteral)
    assert expr.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\tb\"\x41\u00e9\101"', 'a\tb"Aé\x41'),
        (r"'it\'s'", "it's"),
        (r"`raw\n`", r"raw\n"),
        (r'"\xff"', "\udcff"),
        (r'"\xc3\xa9"', "é"),
        (r'"\U0001F600"', "😀"),
    ],
)
def test_strings(text: str, value: str):
    expr = parse(text)
    assert isinstance(expr, StringLiteral)
    assert expr.value == value


def _vector(text: str) -> VectorSelector:
    expr = parse(text)
    assert isinstance(expr, VectorSelector)
    return expr


def test_selectors():
    assert _vector('up{job=~"a|b", x!="",}').matchers == (
        Matcher("__name__", "=", "up"),
        Matcher("job", "=~", "a|b"),
        Matcher("x", "!=", ""),
    )
    quoted = _vector('{"http.requests","a.b"="c"}')
    assert quoted.name == ""
    assert quoted.matchers == (Matcher("__name__", "=", "http.requests"), Matcher("a.b", "=", "c"))
    assert _vector("a:b").name == "a:b"


@pytest.mark.parametrize(
    "name", ["sum", "by", "offset", "and", "unless", "start", "range", "anchored", "fill", "without", "topk"]
)
def test_keywords_can_be_metrics(name: str):
    assert _vector(name).name == name
    assert format_expr(parse(f"{name} + {name}")) == f"{name} + {name}"


def test_keywords_can_be_labels():
    expr = parse('sum by (and, by, "a b", bool, on) (x{sum="1", offset!="2"})')
    assert isinstance(expr, Aggregation)
    assert expr.grouping == ("and", "by", "a b", "bool", "on")


def test_modifiers():
    expr = parse("x[5m] anchored @ -1.5 offset -1h")
    assert isinstance(expr, MatrixSelector)
    assert (expr.vector.at, expr.vector.extension) == (-1500, Extension.ANCHORED)
    assert format_expr(expr) == "x[5m] anchored @ -1.500 offset -1h"
    assert _vector("x @ start()").at is AtBound.START
    subquery = parse("rate(x[5m])[1h:] @ end()")
    assert isinstance(subquery, Subquery)
    assert (subquery.step, subquery.at) == (None, AtBound.END)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a + b * c ^ d ^ e", "a + (b * (c ^ (d ^ e)))"),
        ("a - b - c", "(a - b) - c"),
        ("a or b and c == d", "a or (b and (c == d))"),
        ("-a ^ b", "-(a ^ b)"),
        ("-a * b", "(-a) * b"),
        ("2 ^ -a * b", "(2 ^ (-a)) * b"),
        ("a </ 1 + b", "a </ (1 + b)"),
        ("a atan2 b % c", "(a atan2 b) % c"),
        ("a + b offset 5m", "a + (b offset 5m)"),
        ("-x[1h:5m]", "-(x[1h:5m])"),
    ],
)
def test_precedence(text: str, same: str):
    if text.startswith("-x"):
        with pytest.raises(PromqlError):  # the range binds first, and a range has no sign
            parse(text)
        return
    assert _shape(parse(text)) == _shape(parse(same))


def _shape(expr: object) -> object:
    match expr:
        case Paren():
            return _shape(expr.expr)
        case Binary():
            return (expr.op, _shape(expr.left), _shape(expr.right))
        case Unary():
            return (expr.op, _shape(expr.expr))
        case VectorSelector():
            return (expr.name, format_expr(expr))
        case _:
            return repr(getattr(expr, "value", None))


def test_matching():
    expr = parse("a == bool on (x, y) group_left (z) fill_right (-2) fill_left (1m) b")
    assert isinstance(expr, Binary)
    assert expr.return_bool
    assert expr.matching == Matching("many-to-one", ("x", "y"), True, ("z",), 60, -2)
    scalar = parse("a + 1")
    assert isinstance(scalar, Binary)
    assert scalar.matching is None
    sets = parse("a and ignoring (x) b")
    assert isinstance(sets, Binary)
    assert sets.matching == Matching("many-to-many", ("x",))


def test_places_count_lines_and_bytes():
    expr = parse('label_replace(\nx, "é", "", "", "")')
    assert isinstance(expr, Call)
    assert str(expr.place) == "1:1"
    assert [str(each.place) for each in expr.arguments] == ["2:1", "2:4", "2:10", "2:14", "2:18"]
    assert [each.place.start for each in expr.arguments][:3] == [15, 18, 23]


def test_comments_and_case():
    assert format_expr(parse("SUM BY (a) # all\n (x OFFSET 5m)")) == "sum by (a) (x offset 5m)"


ERRORS = [
    ("", "unknown position: parse error: no expression found in input"),
    ("# only", "1:1: parse error: no expression found in input"),
    ("1+", "1:3: parse error: unexpected end of input"),
    (".", "1:1: parse error: unexpected character: '.'"),
    ("2.5.", '1:1: parse error: bad number or duration syntax: "2.5."'),
    ("5mm", '1:1: parse error: bad number or duration syntax: "5mm"'),
    ("5m5m", '1:1: parse error: not a valid duration string: "5m5m"'),
    ("0xZ", '1:1: parse error: bad number or duration syntax: "0x"'),
    ("(1", "1:3: parse error: unclosed left parenthesis"),
    ("(1))", "1:5: parse error: unexpected right parenthesis ')'"),
    ("*1", "1:1: parse error: unexpected <op:*>"),
    ("a by b", "1:3: parse error: unexpected <by>"),
    ("foo bar", '1:5: parse error: unexpected identifier "bar"'),
    ("foo a:b", '1:5: parse error: unexpected metric identifier "a:b"'),
    ("foo 'long string here'", '1:5: parse error: unexpected string "\'long stri"...'),
    ("a =~ b", "1:3: parse error: unexpected character after '=': '~'"),
    ("a = b", '1:3: parse error: unexpected "="'),
    ("a ! b", "1:3: parse error: unexpected character after '!': ' '"),
    ('"\\q"', "1:1: parse error: unknown escape sequence U+0071 'q'"),
    ('"\\xz1"', "1:1: parse error: illegal character U+007A 'z' in escape sequence"),
    ('"\\ud800"', "1:1: parse error: escape sequence is an invalid Unicode code point"),
    ("`a", "1:1: parse error: unterminated raw string"),
    ('"a\n"', "1:1: parse error: unterminated quoted string"),
    ("a{", "1:3: parse error: unexpected end of input inside braces"),
    ("a{{", "1:3: parse error: unexpected left brace '{'"),
    ("a{b=~}", '1:6: parse error: unexpected "}" in label matching, expected string'),
    ("a{b}", '1:4: parse error: unexpected "}" in label matching, expected label matching operator'),
    ("a{=}", '1:3: parse error: unexpected "=" in label matching, expected identifier or "}"'),
    ('a{b="c" d="e"}', '1:9: parse error: unexpected identifier "d" in label matching, expected "," or "}"'),
    ("a{1}", "1:3: parse error: unexpected character inside braces: '1'"),
    ('{a=""}', "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ('foo{__name__="b"}', '1:1: parse error: metric name must not be set twice: "foo" or "b"'),
    ('a{b=~"x**"}', "1:3: parse error: error parsing regexp: invalid nested repetition operator: `**`"),
    ("a[5m", "1:5: parse error: unexpected end of input in duration expression"),
    (
        "a[]",
        (
            '1:3: parse error: unexpected "]" in subquery or range selector, '
            "expected number, duration, step(), or range()"
        ),
    ),
    ("a[0s]", "1:3: parse error: duration must be greater than 0"),
    ("a[-5m]", "1:3: parse error: duration must be greater than 0"),
    ("a[5m/0]", "1:5: parse error: division by zero"),
    ("a[5m x]", "1:6: parse error: unexpected character in duration expression: 'x'"),
    ("1[5m]", "1:2: parse error: ranges only allowed for vector selectors"),
    ("a offset 1m[5m]", "1:12: parse error: no offset modifiers allowed before range"),
    ("a @ 5[5m]", "1:6: parse error: no @ modifiers allowed before range"),
    (
        "a offset",
        (
            "1:9: parse error: unexpected end of input in offset, "
            "expected number, duration, step(), or range()"
        ),
    ),
    ("a offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
    ("a @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"),
    ("a @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"),
    ("a @ b", '1:5: parse error: unexpected identifier "b" in @, expected timestamp'),
    (
        "(a) @ 5",
        (
            "1:1: parse error: @ modifier must be preceded by an instant vector selector, "
            "range vector selector, or a subquery"
        ),
    ),
    ("1[5m:1m]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
    ("sum a", '1:5: parse error: unexpected identifier "a" in aggregation'),
    ("sum(a b)", '1:7: parse error: unexpected identifier "b" in aggregation'),
    ("sum by a (b)", '1:8: parse error: unexpected identifier "a" in grouping opts, expected "("'),
    (
        "sum by (a b) (c)",
        '1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"',
    ),
    ("sum by (5) (c)", '1:9: parse error: unexpected number "5" in grouping opts, expected label'),
    ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
    (
        "topk(a)",
        ("1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"),
    ),
    ("sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"),
    ("topk(a, b)", "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"),
    ("count_values(5, b)", "1:14: parse error: expected type string in aggregation parameter, got scalar"),
    (
        "rate(a)",
        ('1:6: parse error: expected type range vector in call to function "rate", got instant vector'),
    ),
    ("nope(a)", '1:1: parse error: unknown function with name "nope"'),
    ("rate()", '1:1: parse error: expected 1 argument(s) in call to "rate", got 0'),
    ("label_join(a)", '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1'),
    ("round(a, 1, 2)", '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'),
    ("abs(a,)", "1:6: parse error: trailing commas not allowed in function call args"),
    ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
    ("1 + bool 1", "1:3: parse error: bool modifier can only be used on comparison operators"),
    ("a and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
    ("a or on (x) group_left b", '1:1: parse error: no grouping allowed for "or" operation'),
    ("1 + on (x) a", "1:1: parse error: vector matching only allowed between instant vectors"),
    (
        "a + on (x) group_left (x) b",
        '1:3: parse error: label "x" must not occur in ON and GROUP clause at once',
    ),
    ('a + "b"', "1:5: parse error: binary expression must contain only scalar and instant vector types"),
    (
        '-"b"',
        (
            "1:1: parse error: unary expression only allowed on expressions of type scalar or instant "
            'vector, got "string"'
        ),
    ),
    ("info(a, b)", "1:9: parse error: expected label selectors only, got vector selector instead"),
    ("a\n  + b c", '2:7: parse error: unexpected identifier "c"'),
    ('"é" c', '1:6: parse error: unexpected identifier "c"'),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_errors(text: str, message: str):
    with pytest.raises(QueryError) as raised:
        parse(text)
    assert str(raised.value) == message


def test_info_takes_matchers_that_accept_all():
    assert isinstance(parse('info(a, {data=~".*"})'), Call)


def test_selectors_alone():
    assert parse_selector('up{a=~".*"}') == (Matcher("__name__", "=", "up"), Matcher("a", "=~", ".*"))
    assert parse_selector('{a=""}') == (Matcher("a", "=", ""),)
    for text, message in (
        ("up offset 5m", "1:4: parse error: unexpected <offset>"),
        ("1", '1:1: parse error: unexpected number "1"'),
        ("", "1:1: parse error: unexpected end of input"),
    ):
        with pytest.raises(PromqlError) as raised:
            parse_selector(text)
        assert str(raised.value) == message


def test_all_names_are_known():
    assert (len(SIGNATURES), sum(s.experimental for s in SIGNATURES.values())) == (90, 17)
    assert len(AGGREGATIONS) == 14


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "-" * 100_000 + "a",
        "sum(" * 5000,
        "abs(" * 100 + "a" + ")" * 100,
        "1" + "+1" * 20_000,
        "2" + "^2" * 5000,
        "a" + "[5m:]" * 5000,
        "a[" + "(" * 5000,
        "a[" + "-" * 5000,
        "a[1" + "+1" * 5000 + "]",
        "a[" + "min_of(" * 5000,
    ],
    ids=len,
)
def test_deep_nesting_is_an_error(text: str):
    with pytest.raises(PromqlError):
        parse(text)


def test_deep_but_allowed():
    levels = 79
    parse("abs(" * levels + "a" + ")" * levels)
    parse("1" + "+1" * (MAX_DEPTH - 1))


WORDS = [
    *("sum", "rate", "(", ")", "{", "}", "[", "]", "5m", "1", "a", "b:c", "by", "offset", "@", "start()"),
    *("+", "-", "^", "==", "bool", "on", "group_left", '"x"', "'", "`", "=~", "!~", ",", ":", "#", "\n", " "),
    *("step()", "fill(", "anchored", "</", "é", "\ud800", "\\", "0x", "1e", "_", "\x00", "and", "unless"),
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)))
def test_garbage_never_crashes(text: str):
    try:
        expr = parse(text)
    except PromqlError as error:
        assert str(error)  # noqa: PT017 - most texts are no PromQL
    else:
        assert parse(format_expr(expr))
