"""JSON of results: the digits of Go, and each sample where it belongs."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from query.prometheus import encode
from query.promql.histograms.numbers import api
from query.promql.histograms.text import parse_notation
from query.promql.matrix import Matrix
from query.promql.results import Scalars, Series, Text, Vector

UNMARKED = np.zeros(2, np.bool_)


@given(values=st.lists(st.floats(), max_size=50))
def test_numbers_are_written_as_go_does(values: list[float]) -> None:
    assert encode.numbers(np.array(values, np.float64)).to_pylist() == [api(v) for v in values]


def test_numbers_that_are_easily_wrong() -> None:
    given_ = [0.0, -0.0, 1.0, 1e-7, 1e15, 1e20, 1e21, 123456789012345680.0, math.nan, math.inf, -math.inf]
    wanted = "0 -0 1 1e-07 1000000000000000 100000000000000000000 1e+21 123456789012345680 NaN +Inf -Inf"
    assert encode.numbers(np.array(given_)).to_pylist() == wanted.split()


def test_times_have_three_digits_or_none() -> None:
    assert [encode.seconds(t) for t in (0, 1000, 1001, 1010, 1100, -1, -1500)] == [
        "0", "1", "1.001", "1.010", "1.100", "-0.001", "-1.500",
    ]  # fmt: skip


def decoded(value: Scalars | Text | Vector | Series) -> dict[str, object]:
    made: dict[str, object] = json.loads(encode.body(value))
    return made


def test_scalars_and_strings() -> None:
    assert decoded(Scalars(np.array([1500]), np.array([2.0]))) == {
        "resultType": "scalar",
        "result": [1.5, "2"],
    }
    assert decoded(Text(2000, 'say "hi"')) == {"resultType": "string", "result": [2, 'say "hi"']}


def histograms() -> np.ndarray[tuple[int, int], np.dtype[np.object_]]:
    made = np.full((2, 3), None, object)
    made[1, 2] = parse_notation("{{schema:0 count:3 sum:4 buckets:[1 2]}}")
    return made


HISTOGRAM = {"count": "3", "sum": "4", "buckets": [[0, "0.5", "1", "1"], [0, "1", "2", "2"]]}


def test_a_matrix_holds_what_is_present_floats_and_histograms_apart() -> None:
    labels = [(("a", "1"),), (("__name__", "m"),)]
    values = np.array([[1.0, 2.5, math.nan], [7.0, 0.0, 0.0]])
    present = np.array([[True, False, True], [True, False, True]])
    found = decoded(Series(np.array([0, 500, 1000]), Matrix(labels, values, present, histograms(), UNMARKED)))
    assert found == {
        "resultType": "matrix",
        "result": [
            {"metric": {"a": "1"}, "values": [[0, "1"], [1, "NaN"]]},
            {"metric": {"__name__": "m"}, "values": [[0, "7"]], "histograms": [[1, HISTOGRAM]]},
        ],
    }


def test_a_vector() -> None:
    labels = [(("a", "1"),), ()]
    native = histograms()[:, 2:]
    matrix = Matrix(labels, np.array([[3.0], [math.nan]]), np.ones((2, 1), np.bool_), native, UNMARKED)
    assert decoded(Vector(1001, matrix)) == {
        "resultType": "vector",
        "result": [
            {"metric": {"a": "1"}, "value": [1.001, "3"]},
            {"metric": {}, "histogram": [1.001, HISTOGRAM]},
        ],
    }


def test_nothing() -> None:
    nothing = Matrix([], np.zeros((0, 1)), np.zeros((0, 1), np.bool_), None, np.zeros(0, np.bool_))
    assert decoded(Vector(0, nothing)) == {"resultType": "vector", "result": []}
    assert decoded(Series(np.array([0]), nothing)) == {"resultType": "matrix", "result": []}
