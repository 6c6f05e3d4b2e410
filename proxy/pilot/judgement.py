"""What is wrong with some texts, as the API tells it: alone, or as a part of a mesh."""

from collections.abc import Iterable
from typing import Any

from proxy.analyze.analyzers import Message, analyze
from proxy.api.base import Model
from proxy.config.apply import judge
from proxy.config.collection import Collection
from proxy.config.mesh_config import mesh_config
from proxy.config.objects import ConfigObject
from proxy.pilot.forms import finding, problem


def judgement(texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Problems and findings of texts, each with its name, taken together as one configuration."""
    judged = [judge(text, name) for name, text in texts]
    config = Collection.of(o for objects, _ in judged for o in objects)
    return {
        "messages": [finding(m) for m in analyze(config, mesh_config(config))],
        "files": [problem(p) for _, problems in judged for p in problems if p.severity == "error"],
    }


def preview(config: Collection, objects: Iterable[ConfigObject[Model]]) -> list[Message]:
    """Findings about objects, as if the mesh had them.

    Args:
        config: what it has.
        objects: new ones, and others in the place of those of the same names.
    """
    asked = {o.key: o for o in objects}
    then = Collection.of({**config.by_key, **asked}.values())
    return [m for m in analyze(then, mesh_config(then)) if m.key in asked]
