"""Istio's own valid and invalid documents are judged as Istio judges them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from proxy.config.apply import judge, refused

CASES = Path(__file__).parents[3] / "shared" / "conformance"
VALIDATE = CASES / "istio-validate"
SAMPLES = CASES / "istio-samples"
_EXPECTATION = re.compile(r"^_err:.*$", re.MULTILINE)

pytestmark = pytest.mark.skipif(not VALIDATE.is_dir(), reason=f"no conformance cases: {CASES} is absent")


def _cases() -> list[dict[str, Any]]:
    found = VALIDATE / "cases.json"
    return json.loads(found.read_text()) if found.exists() else []


def _documents(file: str) -> list[str]:
    """The documents of a file that hold something, as text: our own reading is what is tested."""
    texts = re.split(r"(?m)^---\s*", (VALIDATE / file).read_text())
    return [text for text in texts if re.search(r"(?m)^(apiVersion|kind):", text)]


@pytest.mark.parametrize("case", _cases(), ids=lambda case: f"{case['file']}-{case['index']}-{case['name']}")
def test_a_document_is_judged_as_istio_does(case: dict[str, Any]):
    text = _EXPECTATION.sub("", _documents(case["file"])[case["index"]])

    objects, problems = judge(text, case["file"])

    errors = [str(problem) for problem in refused(problems)]
    assert (not errors) == case["valid"], "\n".join(errors) or "nothing found"
    if case["valid"]:
        assert [(obj.kind.name, obj.name) for obj in objects] == [(case["kind"], case["name"])]


@pytest.mark.parametrize(
    "file", sorted(SAMPLES.rglob("*.yaml")), ids=lambda file: str(file.relative_to(SAMPLES))
)
def test_a_sample_is_accepted(file: Path):
    _, problems = judge(file.read_text(), file.name)

    assert [str(problem) for problem in refused(problems)] == []
