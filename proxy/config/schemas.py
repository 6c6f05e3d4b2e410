"""What objects can hold, as JSON Schema: for editors that complete and check while one writes."""

from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from proxy.config.kinds import KINDS


@cache
def schemas() -> dict[str, Any]:
    """The kinds, and the definitions that their schemas refer to (JSON Schema 2020-12).

    Returns:
        ``kinds`` by name: ``apiVersion`` (the newest), ``inline`` (the content stands beside ``metadata`` and
        not below ``spec``), ``namespaced`` and ``schema``, a reference into ``$defs``.
    """
    wanted = [(kind.spec, "validation") for kind in KINDS.values()]
    references, definitions = models_json_schema(wanted, by_alias=True)  # type: ignore[arg-type]  # a literal
    kinds = {
        kind.name: {
            "apiVersion": f"{kind.group}/{kind.versions[0]}" if kind.group else kind.versions[0],
            "inline": kind.inline,
            "namespaced": kind.namespaced,
            "schema": references[kind.spec, "validation"],
        }
        for kind in KINDS.values()
    }
    return {"kinds": kinds, "$defs": definitions["$defs"]}
