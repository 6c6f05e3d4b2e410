"""Pages of metrics: see ``vigla.wire.exposition``; prometheus_client's parser is the oracle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from vigla.wire.exposition.page import BadPage, metadata, read
from vigla.wire.exposition.series_text import exemplar_of, labels_of
from vigla.wire.remote_write.encode import Metadata

TEXT = b"""# HELP http_requests_total The total \\\\ number\\nof requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400",}    3 1395066363000

# Escaping:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find:\\n\\"}FILE\\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
spaced { a = "b" , c = "d" } -.5e-3
{"utf.8 name", "a.b"="c"} NaN
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01"}\t3102
"""

OPEN = b"""# TYPE foo counter
# UNIT foo seconds
# HELP foo Things.
foo_total{a="b"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o",span="}"} 0.67 1520879607.1
foo_bucket{le="1"} 4 # {} 0.5
# EOF
"""


def rows(body: bytes, form: str = "text") -> list[tuple[dict[str, str], float, int]]:
    page = read(body, "openmetrics" if form == "openmetrics" else "text")
    texts = page.series.to_pylist()
    return [
        (labels_of(text), value, time)
        for text, value, time in zip(texts, page.values.tolist(), page.times.tolist(), strict=True)
    ]


def test_the_text_format() -> None:
    found = rows(TEXT)
    assert found[0] == (
        {"__name__": "http_requests_total", "method": "post", "code": "200"},
        1027,
        1395066363000,
    )
    assert found[2][0]["error"] == 'Cannot find:\n"}FILE"'
    assert found[2][0]["path"] == r"C:\DIR\FILE.TXT"
    assert found[4][1:] == (math.inf, -3982045)
    assert found[5] == ({"__name__": "spaced", "a": "b", "c": "d"}, -0.0005, 0)
    assert found[6][0] == {"__name__": "utf.8 name", "a.b": "c"}
    assert math.isnan(found[6][1])
    assert found[7][0]["quantile"] == "0.01"
    assert metadata(read(TEXT, "text").comments) == [
        Metadata("http_requests_total", "counter", "The total \\ number\nof requests.", ""),
        Metadata("rpc_duration_seconds", "summary", "", ""),
    ]


def test_openmetrics() -> None:
    assert rows(OPEN, "openmetrics") == [
        ({"__name__": "foo_total", "a": "b"}, 17.0, 1520879607789),
        ({"__name__": "foo_bucket", "le": "1.0"}, 4.0, 0),
    ]
    page = read(OPEN, "openmetrics")
    assert [exemplar_of(text) for text in page.exemplars.to_pylist()] == [
        ({"trace_id": "KOO5S4vxi0o", "span": "}"}, 0.67, 1520879607100),
        ({}, 0.5, 0),
    ]
    assert metadata(page.comments) == [Metadata("foo", "counter", "Things.", "seconds")]


@pytest.mark.parametrize("body", [b"", b"\n", b"# only\n", b"a 1", b"a 1\r\n"])
def test_small_pages(body: bytes) -> None:
    assert len(rows(body)) == (1 if b"a" in body else 0)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>no metrics</html>\n", "<html>"),
        (b"a 1\nb\n", "'b'"),
        (b"a5\n", "'a5'"),
        (b"a{ 5\n", "a{ 5"),
        (b'a{b="c} 5\n', "a{b="),
        (b"a five\n", "no value: 'a five'"),
        (b"a 1 soon\n", "a 1 soon"),
        (b"a 1 1 1\n", "a 1 1 1"),
        (b"a 1 1e99\n", "no timestamp"),
        (b"\xff 1\n", "no UTF-8 at byte 0"),
    ],
)
def test_a_wrong_line_is_told(body: bytes, told: str) -> None:
    with pytest.raises(BadPage) as raised:
        read(b"fine 1\n" + body if b"\xff" not in body else body, "text")
    assert told in str(raised.value)


@pytest.mark.parametrize("text", ['a{b="c",b="d"}', "a{b}", '{b="c"}', 'a{b="c" d="e"}', 'a{=""}', "a{,}"])
def test_wrong_labels_are_told(text: str) -> None:
    with pytest.raises(BadPage):
        labels_of(text)


def test_openmetrics_ends_with_its_mark() -> None:
    with pytest.raises(BadPage, match="does not end with # EOF"):
        read(b"a 1\n", "openmetrics")


names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)
samples = st.tuples(
    names, st.dictionaries(names, values, max_size=3), st.floats(), st.integers(-(2**40), 2**42)
)


@given(st.lists(samples, max_size=8))
def test_what_the_other_parser_reads_is_read_the_same(
    given: list[tuple[str, dict[str, str], float, int]],
) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

    lines = []
    for name, labels, value, time in given:
        inner = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inner}}} {value!r} {time}\n")
    body = "".join(lines)
    theirs = [sample for family in text_string_to_metric_families(body) for sample in family.samples]
    mine = rows(body.encode())
    assert [labels["__name__"] for labels, _, _ in mine] == [sample.name for sample in theirs]
    np.testing.assert_array_equal([value for _, value, _ in mine], [sample.value for sample in theirs])
    assert [time for _, _, time in mine] == [time for *_, time in given]
    for (labels, _, _), sample in zip(mine, theirs, strict=True):
        kept = {key: text for key, text in labels.items() if key not in {"__name__", "le", "quantile"}}
        assert kept == {k: v for k, v in sample.labels.items() if k not in {"__name__", "le", "quantile"}}


@given(st.binary(max_size=60))
def test_any_page_is_read_or_refused(body: bytes) -> None:
    try:
        page = read(body, "text")
        for text in page.series.to_pylist():
            labels_of(text)
    except BadPage:
        return
