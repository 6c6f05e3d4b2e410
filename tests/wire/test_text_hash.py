"""Hashes of texts: see ``vigla.wire.text_hash``."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from vigla.wire.text_hash import hashes

texts = st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=250, max_size=270)), max_size=20)


def hashed(*given: bytes) -> list[int]:
    return list(map(int, hashes(pa.array(given, pa.binary()))))


@settings(max_examples=200, deadline=None)
@given(given_texts=texts)
def test_a_hash_depends_on_its_text_alone(given_texts: list[bytes]) -> None:
    found = hashed(*given_texts)
    assert found == [hashed(each)[0] for each in given_texts]
    assert len(set(found)) == len(set(given_texts))
    sliced = pa.array([b"before", *given_texts, b"after"], pa.binary()).slice(1, len(given_texts))
    assert list(map(int, hashes(sliced))) == found


def test_many_texts_that_are_alike() -> None:
    names = [f"pod-{number}".encode() for number in range(200_000)]
    padded = [b"\0" * number for number in range(1, 256)]
    found = hashes(pa.array(names + padded, pa.binary()))
    assert len(np.unique(found)) == len(names) + len(padded)
    ones = np.unpackbits(found.view(np.uint8)).mean()
    assert abs(ones - 0.5) < 0.01


def test_hashes_stay_as_they_are() -> None:
    """They are in every lake."""
    assert hashed(b"", b"up", b"http_requests_total", b"x" * 300) == WRITTEN


WRITTEN = [16294208416658607535, 10424978515042753675, 4448090369990467710, 1533152188014638354]
