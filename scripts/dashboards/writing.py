"""The dashboards as files that Grafana reads."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from scripts.dashboards import mesh, own

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"
DASHBOARDS = (mesh.mesh, mesh.service, mesh.workload, own.control_plane, own.itself)


def made() -> dict[str, str]:
    """JSON text by the file's name."""
    built = [dashboard().build() for dashboard in DASHBOARDS]
    return {
        f"{each.uid}.json": json.dumps(each, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"
        for each in built
    }


def write() -> None:
    """All of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in made().items():
        (FOLDER / name).write_text(text)
