"""The access log page: filters, entries with every field, flags in words."""

from playwright.sync_api import expect

from tests.browser.conftest import FAILED, PHONE, OpenPage


def test_an_entry_opens_with_every_field_and_flags_in_words(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/logs")
    entries = page.locator(".log")
    expect(entries).to_have_count(3)
    flagged = entries.filter(has=page.locator(".flag", has_text="FI"))
    flagged.locator("summary").click()
    expect(flagged).to_contain_text("the request was aborted by an injected fault")
    expect(flagged.locator(".log-fields")).to_contain_text("virtual-service/reviews")
    flagged.get_by_role("link", name="Show trace").click()
    page.wait_for_url(f"**/trace/{FAILED}")


def test_filters_are_in_the_address(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/logs")
    page.get_by_label("Response flag").fill("FI")
    page.get_by_label("Response flag").press("Enter")
    expect(page.locator(".log")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Response flag")).to_have_value("FI")
    expect(page.locator(".log")).to_have_count(1)
    page.get_by_label("From workload").fill("nobody")
    page.get_by_label("From workload").press("Enter")
    expect(page.get_by_role("heading", name="No entries in this time range")).to_be_visible()


def test_a_server_without_entries_says_where_they_come_from(empty_server: str, open_page: OpenPage) -> None:
    page = open_page(f"{empty_server}/logs")
    expect(page.get_by_text("access log service on port 4317")).to_be_visible()


def test_a_phone_needs_no_sideways_scrolling(server: str, open_page: OpenPage) -> None:
    page = open_page(f"{server}/logs", PHONE)
    expect(page.locator(".log")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
