"""What a collector's answer asks for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from collector.agent.answers import retry_after


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), (" 0 ", 0.0), ("soon", None), ("-1", None), ("", None)]
)
def test_a_delay_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after(httpx.Response(429, headers={"retry-after": text})) == seconds


def test_a_delay_until_a_date() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    found = retry_after(httpx.Response(503, headers={"retry-after": format_datetime(later, usegmt=True)}))
    assert found is not None
    assert 3500 < found <= 3600
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert retry_after(httpx.Response(503, headers={"retry-after": past})) == 0.0


def test_no_answer_asks_for_nothing() -> None:
    assert retry_after(None) is None
