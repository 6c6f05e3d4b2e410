"""Templates of labels and annotations: see ``query.rules.template``."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.rules.template.ast import TemplateError
from query.rules.template.expand import expand
from query.rules.template.functions import Environment, Sample

ASKED = [Sample({"__name__": "up", "instance": "b:80"}, 11.0), Sample({"instance": "a:80"}, 21.5)]
ENVIRONMENT = Environment(lambda query: ASKED if query == "up" else [], "http://h/vigla", 1_435_065_584_128)
DATA = {
    "Labels": {"instance": "web-1:9090", "job": "web"},
    "ExternalLabels": {"zone": "eu"},
    "ExternalURL": "http://h/vigla",
    "Value": 0.25,
}


def expanded(text: str) -> str:
    return expand(text, DATA, ENVIRONMENT)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain { text }", "plain { text }"),
        ("{{ $labels.instance }} is {{ $value }}", "web-1:9090 is 0.25"),
        ("{{ .Labels.job }}/{{ .Value }}", "web/0.25"),
        ("{{ $labels.none }}|{{ $externalLabels.zone }}", "|eu"),
        ("a  {{- /* note */ -}}  b", "ab"),
        ("a {{- 1 -}} b", "a1b"),
        ("{{ $value | humanizePercentage }}", "25%"),
        ("{{ humanize 1234567.0 }}{{ humanize 0.0123 }}{{ humanize 0.0 }}", "1.235M12.3m0"),
        ("{{ humanize1024 1048576.0 }} {{ humanize1024 1.0 }}", "1Mi 1"),
        ("{{ humanizeDuration 93784.0 }} {{ humanizeDuration 61.5 }}", "1d 2h 3m 4s 1m 1s"),
        ("{{ humanizeDuration 0.0125 }} {{ humanizeDuration 59.123456 }}", "12.5ms 59.12s"),
        ("{{ humanizeDuration -3600.0 }}", "-1h 0m 0s"),
        ("{{ 1435065584.128 | humanizeTimestamp }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        (
            '{{ printf "%.2f %5.1f|%-4s|%d %v %q %t%%" $value 3.14 "ab" 7 1e7 "x" true }}',
            '0.25   3.1|ab  |7 1e+07 "x" true%',
        ),
        (
            '{{ printf "%d" $value }}{{ printf "%s" }}{{ printf "" 1 }}',
            "%!d(float64=0.25)%!s(MISSING)%!(EXTRA int=1)",
        ),
        ('{{ with query "up" }}{{ . | first | value | humanize }}{{ end }}', "11"),
        (
            '{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }};{{ end }}',
            "a:80=21.5;b:80=11;",
        ),
        ('{{ range $i, $s := query "up" }}{{ $i }}{{ $s | label "instance" }} {{ end }}', "0b:80 1a:80 "),
        ('{{ range query "none" }}x{{ else }}nothing{{ end }}', "nothing"),
        ('{{ range query "up" }}{{ if gt .Value 20.0 }}{{ break }}{{ end }}{{ .Value }}{{ end }}', "11"),
        ('{{ if eq $labels.job "db" }}db{{ else if eq $labels.job "web" "www" }}w{{ else }}?{{ end }}', "w"),
        ("{{ if and $value (not false) }}yes{{ end }}{{ if or 0 $labels.none }}no{{ end }}", "yes"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        (
            '{{ $labels.instance | stripPort }} {{ "a.b.c:80" | stripDomain }} {{ stripDomain "1.2.3.4:5" }}',
            "web-1 a:80 1.2.3.4:5",
        ),
        ('{{ reReplaceAll "(.*)-(.*)" "$2-$1" "a-b" }} {{ match "^a" "ab" }}', "b-a true"),
        (
            '{{ "x" | toUpper }}{{ title "two words" }}{{ len "abc" }}{{ index $labels "job" }}',
            "XTwo Words3web",
        ),
        ('{{ graphLink "up == 0" }}', "/graph?g0.expr=up+%3D%3D+0&g0.tab=0"),
        ("{{ pathPrefix }} {{ externalURL }}", "/vigla http://h/vigla"),
        ('{{ parseDuration "1h30m" }}', "5400"),
        ('{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" $labels.job }}', "<web>"),
        ("{{ $labels }}", "map[instance:web-1:9090 job:web]"),
        ('{{ (query "up" | first).Labels.instance }}', "b:80"),
        ('{{ print 1 2 "a" 3 }}', "1 2a3"),
    ],
)
def test_expanded(text: str, made: str) -> None:
    assert expanded(text) == made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ $value", "unclosed action"),
        ("{{ unknown }}", 'function "unknown" not defined'),
        ("{{ if true }}x", "{{end}} is missing"),
        ("{{ $nothing }}", 'undefined variable "$nothing"'),
        ('{{ query "none" | first }}', "first() called on vector with no elements"),
        ("a\n{{ ] }}", "line 2"),
        ('{{ "x" | humanize }}', "can't convert x to float"),
        ("{{ toUpper }}", "error calling toUpper"),
        ('{{ template "none" }}', 'template "none" not defined'),
        ('{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}', "maximum template depth"),
        ("{{ 1 2 }}", "can't give argument to non-function"),
        ('{{ reReplaceAll "(" "" "" }}', "error parsing regexp"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str) -> None:
    with pytest.raises(TemplateError) as raised:
        expanded(text)
    assert told in str(raised.value)


@given(st.floats())
def test_humanized_numbers_are_short(value: float) -> None:
    text = expand("{{ .Value | humanize }}", {"Value": value}, ENVIRONMENT)
    assert len(text) <= 12
    assert (text in {"NaN", "+Inf", "-Inf"}) == (not math.isfinite(value))


@given(st.text(alphabet='{}$.|() "`ab01-:=\n', max_size=30))
def test_any_text_expands_or_is_refused(text: str) -> None:
    with contextlib.suppress(TemplateError):
        expanded(text)
