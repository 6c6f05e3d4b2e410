"""What axe finds on a page as it is now."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

# What fades in has too little contrast while it does.
_SETTLED = """() => Promise.all(document.getAnimations()
  .filter((each) => each.effect.getTiming().iterations !== Infinity)
  .map((each) => each.finished.catch(() => {})))"""
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def serious_findings(page: Page) -> list[Any]:
    """Page, rule, element and summary of each serious or critical one."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    page.evaluate(_SETTLED)
    # Run outside the page's policy: the checker is a tool of the test, not a part of the page.
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (page.url, v["id"], v["nodes"][0]["html"], v["nodes"][0].get("failureSummary"))
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]
