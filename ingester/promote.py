"""Which span attributes get a column of their own."""

from vigla.errors import SettingsError
from vigla.model.spans import DEFAULT_PROMOTED, Promoted
from vigla.settings import IngesterSettings

_INT = ":int"
MAX_PROMOTED = 64  # every column costs each file a statistics row in the catalog


def promoted_from(settings: IngesterSettings) -> tuple[Promoted, ...]:
    """The default attributes, then the configured ones (``key`` or ``key:int``).

    Raises:
        SettingsError: a key is empty, stands twice with two types, or there are too many.
    """
    promoted = {p.key: p for p in DEFAULT_PROMOTED}
    for text in settings.promoted:
        wanted = Promoted(text.removesuffix(_INT), "int" if text.endswith(_INT) else "string")
        if not wanted.key:
            raise SettingsError("ingester.promoted: a key is empty")
        if promoted.setdefault(wanted.key, wanted) != wanted:
            raise SettingsError(
                f"ingester.promoted: {wanted.key} is promoted as {promoted[wanted.key].type} already"
            )
    if len(promoted) > MAX_PROMOTED:
        raise SettingsError(f"ingester.promoted: at most {MAX_PROMOTED} with the default ones")
    return tuple(promoted.values())
