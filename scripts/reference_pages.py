"""Write docs/settings.md and docs/metrics.md from the code; ``--check`` says whether they are current."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from vigla.settings import Settings
from vigla.telemetry.metrics import DEFINITIONS

DOCS = Path(__file__).parents[1] / "docs"


def settings_page() -> str:
    """Every setting by section: name, variable, default, meaning."""
    return "\n".join([SETTINGS_HEAD, *_sections()])


SETTINGS_HEAD = """# Settings

Written by `make docs` from `vigla/settings.py`.

Settings come, the later ones winning, from defaults, a file (`--config`, else `VIGLA_CONFIG`, else
`./vigla.yaml`), variables `VIGLA_<SECTION>__<NAME>` and the command's options. Unknown names are refused.

```yaml
# vigla.yaml
storage:
  path: /var/lib/vigla
  retention_hours: 168
query:
  host: 0.0.0.0
```

The same by variables: `VIGLA_STORAGE__PATH=/var/lib/vigla VIGLA_STORAGE__RETENTION_HOURS=168`.
"""


def _sections() -> Iterator[str]:
    defaults = Settings()
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if not isinstance(model, type) or not issubclass(model, BaseModel):
            raise TypeError(f"{section} is no section")
        yield f"## {section}\n\n{model.__doc__}\n"
        yield "| name | default | meaning |"
        yield "|---|---|---|"
        values = dict(dict(defaults)[section])
        for name, schema in model.model_json_schema()["properties"].items():
            yield f"| `{name}` | `{_shown(values[name])}` | {schema['description']}{_bounds(schema)} |"
        yield ""


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, str | Path):
        return str(value) or '""'
    return "[]" if value == () else str(value)


def _bounds(schema: dict[str, Any]) -> str:
    signs = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "to"}
    limits = [f"{sign} {schema[key]}" for key, sign in signs.items() if key in schema]
    limits += [" or ".join(schema["enum"])] if "enum" in schema else []
    return f" ({' '.join(limits)})" if limits else ""


def metrics_page() -> str:
    """Every metric: name, kind, labels, meaning."""
    rows = (
        f"| `{d.name}` | {d.kind} | {', '.join(f'`{label}`' for label in d.labels)} | {d.help} |"
        for d in sorted(DEFINITIONS, key=lambda d: d.name)
    )
    return "\n".join([METRICS_HEAD, "| name | kind | labels | meaning |", "|---|---|---|---|", *rows, ""])


METRICS_HEAD = """# Metrics

Written by `make docs` from `vigla/telemetry/metrics.py`.

vigla's own metrics are at `http://127.0.0.1:13133/metrics` in Prometheus' text format (OpenMetrics when asked
for), beside `process_*` and `python_gc_*` of the process. Histograms have `_bucket`, `_sum` and `_count`.
"""


def main() -> None:
    """Write the pages, or compare them and exit 1 if one is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a page is out of date")
    check = parser.parse_args().check
    pages = {DOCS / "settings.md": settings_page(), DOCS / "metrics.md": metrics_page()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if check and stale:
        sys.exit(f"out of date, run make docs: {', '.join(path.name for path in stale)}")
    for path in stale:
        path.write_text(pages[path])


if __name__ == "__main__":
    main()
