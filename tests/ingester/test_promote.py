"""Which attributes are promoted."""

import pytest

from ingester.promote import MAX_PROMOTED, promoted_from
from vigla.errors import SettingsError
from vigla.model.spans import DEFAULT_PROMOTED, Promoted
from vigla.settings import IngesterSettings


def test_configured_keys_come_after_the_default_ones() -> None:
    settings = IngesterSettings(promoted=("user.id", "retry.count:int", "user.id", "http.route"))
    assert promoted_from(settings) == (*DEFAULT_PROMOTED, Promoted("user.id"), Promoted("retry.count", "int"))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("http.route:int",), "promoted as string already"),
        (("k", "k:int"), "promoted as string already"),
        ((":int",), "empty"),
        (("",), "empty"),
        (tuple(f"k{n}" for n in range(MAX_PROMOTED)), f"at most {MAX_PROMOTED}"),
    ],
)
def test_refused(keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        promoted_from(IngesterSettings(promoted=keys))
