import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import FAILED, OpenPage

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_a_reader_chooses_and_the_choice_stays(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/search")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="查找 Trace")).to_be_visible()
    expect(page.locator("[data-count]")).to_have_text("15 个 Trace")
    page.goto(f"{server}/graph")
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator(".rail [aria-current]")).to_have_text("拓扑图")
    page.get_by_role("button", name="English").click()
    expect(page.locator(".rail [aria-current]")).to_have_text("Graph")


PAGES = (
    "/overview",
    "/search",
    f"/trace/{FAILED}",
    "/graph",
    "/logs",
    "/metrics",
    "/alerts",
    "/services",
    "/sql",
    "/mesh",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_speaks_chinese(server: str, open_page: OpenPage, path: str) -> None:
    page = open_page(f"{server}{path}", before=lambda page: _chinese(page, server))
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator("main [aria-busy]")).to_have_count(0)
    assert CHINESE.search(page.title()) or path in {f"/trace/{FAILED}", "/sql"}
    assert CHINESE.search(page.locator("main").inner_text())
    assert serious_findings(page) == []


def _chinese(page: Page, server: str) -> None:
    page.context.add_cookies([{"name": "vigla-language", "value": "zh", "url": server}])
