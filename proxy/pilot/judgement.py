"""What is wrong with some texts, as the API tells it: without a running mesh."""

from collections.abc import Iterable
from typing import Any

from proxy.analyze.analyzers import analyze
from proxy.config.apply import judge
from proxy.config.collection import Collection
from proxy.config.mesh_config import mesh_config
from proxy.pilot.forms import finding, problem


def judgement(texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Problems and findings of texts, each with its name, taken together as one configuration."""
    judged = [judge(text, name) for name, text in texts]
    config = Collection.of(o for objects, _ in judged for o in objects)
    return {
        "messages": [finding(m) for m in analyze(config, mesh_config(config))],
        "files": [problem(p) for _, problems in judged for p in problems if p.severity == "error"],
    }
