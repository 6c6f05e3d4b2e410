"""The SQL page: write, run, look, sort, download."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import DESKTOP, NORMAL, PHONE, OpenPage


def ask(page: Page, query: str) -> None:
    page.get_by_role("combobox", name="SQL", exact=True).fill(query)
    page.keyboard.press("Control+Enter")


def test_a_query_shows_its_rows_and_its_address_shows_them_again(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/sql")
    expect(page.get_by_role("heading", name="Ask everything that is kept")).to_be_visible()
    ask(page, "SELECT service, count(*) AS spans, NULL AS nothing, [1, 2] AS list FROM spans GROUP BY ALL")
    expect(page.locator("[data-count]")).to_contain_text("rows in")
    page.reload()
    row = page.locator(".sql-rows tbody tr", has_text="reviews").first
    expect(row.locator("td").nth(2)).to_have_text("NULL")
    expect(row.locator("td").nth(3)).to_have_text("[1,2]")
    expect(row.locator("td").nth(1)).to_have_class("number")
    spans = page.get_by_role("columnheader", name="spans")
    spans.get_by_role("button").click()
    expect(spans).to_have_attribute("aria-sort", "ascending")
    spans.get_by_role("button").click()
    counts = page.locator(".sql-rows tbody tr:not(.space) td:nth-child(2)").all_inner_texts()
    assert counts == sorted(counts, key=int, reverse=True)


def test_only_rows_in_sight_are_in_the_document(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/sql")
    ask(page, "SELECT range AS number FROM range(1000) AS a, range(100) AS b(c) ORDER BY 1, c")
    expect(page.locator("[data-count]")).to_contain_text("100,000 rows")
    rows = page.locator(".sql-rows tbody tr:not(.space)")
    assert rows.count() < 200
    page.locator("[data-body]").evaluate("body => body.scrollTo(0, body.scrollHeight)")
    expect(rows.last).to_have_text("999")
    assert page.evaluate("document.documentElement.scrollWidth") <= DESKTOP[0]


def test_what_is_wrong_is_marked_at_its_place(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/sql", expect_failures=True)
    ask(page, "SELECT *\nFROM spanz")
    expect(page.locator(".problem-place")).to_have_text("FROM spanz\n     ^")
    expect(page.locator(".problem")).to_contain_text('there is no table "spanz"')
    ask(page, "SELECT foo FROM spans")
    expect(page.locator(".problem-place")).to_have_text("SELECT foo FROM spans\n       ^")
    ask(page, "SELECT '<img src=x onerror=alert(1)>' AS \"<b>\"")
    expect(page.locator(".problem")).to_be_hidden()
    expect(page.locator(".sql-rows td").nth(1)).to_have_text("<img src=x onerror=alert(1)>")


def test_tables_and_columns_are_completed_and_browsed(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/sql")
    box = page.get_by_role("combobox", name="SQL", exact=True)
    box.press_sequentially("SELECT count(*) FROM access")
    expect(page.get_by_role("option").first).to_contain_text("access_logs")
    page.keyboard.press("Tab")
    expect(box).to_have_value("SELECT count(*) FROM access_logs")
    page.get_by_label("Find table or column").fill("status_message")
    page.get_by_text("spans", exact=True).first.wait_for()
    box.fill("SELECT ")
    page.get_by_role("button", name="status_message").first.click()
    expect(box).to_have_value("SELECT status_message")
    page.get_by_role("button", name="Newest rows").first.click()
    expect(page.locator("[data-count]")).to_contain_text("rows in")
    expect(page.get_by_role("link", name=NORMAL).first).to_have_attribute("href", f"/trace/{NORMAL}")
    page.get_by_label("Earlier queries").select_option(index=1)
    expect(box).to_have_value("SELECT *\nFROM spans\nORDER BY ts DESC\nLIMIT 100")


def test_the_answer_is_downloaded(server: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"{server}/sql?q=SELECT+1+AS+a")
    expect(page.locator("[data-count]")).to_contain_text("1 row in")
    with page.expect_download() as began:
        page.get_by_label("Download").select_option("csv")
    saved = tmp_path / began.value.suggested_filename
    began.value.save_as(saved)
    assert (saved.name, saved.read_bytes()) == ("vigla.csv", b'"a"\r\n1\r\n')


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_accessibility(server: str, open_page: OpenPage, size: tuple[int, int], theme: str) -> None:
    page = open_page(f"{server}/sql?q=SELECT+*+FROM+spans+LIMIT+3", size, theme)
    expect(page.locator("[data-count]")).to_contain_text("rows in")
    page.locator("details").first.evaluate("details => { details.open = true }")
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
