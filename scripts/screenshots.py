"""Pictures of every page for the documentation, of a running demo: ``python scripts/screenshots.py [url]``.

Writes ``docs/images/<page>-<light|dark|phone>.png``.
"""

import sys
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright
from rich.progress import track

FOLDER = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
DESKTOP, PHONE = (1280, 800), (390, 844)
SETTLES_MS = 2500
FORMS = (("light", DESKTOP, "light"), ("dark", DESKTOP, "dark"), ("phone", PHONE, "light"))
CHINESE = "-chinese"
"""Ends the names of pictures of pages in Chinese."""
RATE = "sum by (destination_workload) (rate(istio_requests_total{reporter='destination'}[1m]))"

SLOWEST = """SELECT service, name, count(*) AS spans, quantile_cont(dur, 0.95) / 1e6 AS p95_ms
FROM spans
GROUP BY ALL
ORDER BY p95_ms DESC"""


def pages(url: str) -> dict[str, str]:
    """Addresses by the picture's name."""
    found = httpx.get(f"{url}/api/traces", params={"service": "productpage", "limit": 20, "lookback": "1h"})
    traces = [each for each in found.json()["data"] if len(each["processes"]) > 1]
    slowest = max(traces, key=lambda trace: max(span["duration"] for span in trace["spans"]))["traceID"]
    other = min(traces, key=lambda trace: max(span["duration"] for span in trace["spans"]))["traceID"]
    metrics = httpx.URL(f"{url}/metrics", params={"q": RATE, "lookback": "15m"})
    return {
        "overview": f"{url}/overview?lookback=15m",
        "graph": f"{url}/graph?lookback=5m",
        "search": f"{url}/search?lookback=15m",
        "heatmap": f"{url}/search?lookback=15m&plot=spans",
        f"graph{CHINESE}": f"{url}/graph?lookback=5m",
        "trace": f"{url}/trace/{slowest}",
        "flame-graph": f"{url}/trace/{slowest}?view=flame",
        "compare": f"{url}/traces/compare?a={other}&b={slowest}",
        "logs": f"{url}/logs?lookback=15m",
        "metrics": str(metrics),
        "alerts": f"{url}/alerts",
        "services": f"{url}/services",
        "workload": f"{url}/workloads/default/reviews-v2",
        "workload-metrics": f"{url}/workloads/default/reviews-v2?tab=inbound",
        "configuration": f"{url}/configuration",
        "wizard": f"{url}/configuration/wizards/traffic-shifting?namespace=default&service=reviews",
        "mesh": f"{url}/mesh",
        "sql": str(httpx.URL(f"{url}/sql", params={"q": SLOWEST})),
    }


def shoot(browser: Browser, name: str, address: str) -> None:
    """One page in every form."""
    for form, (width, height), scheme in FORMS:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="zh-CN" if name.endswith(CHINESE) else "en-GB",
        )
        page: Page = context.new_page()
        page.goto(address)
        page.wait_for_timeout(SETTLES_MS)
        page.screenshot(path=FOLDER / f"{name}-{form}.png")
        context.close()


def main() -> None:
    """Take them all."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:16686"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, address in track(pages(url).items(), "pictures"):
            shoot(browser, name, address)
        browser.close()


if __name__ == "__main__":
    main()
