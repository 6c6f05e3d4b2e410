"""A wizard: what its form shows now, and the objects that a form filled in asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proxy.wizards import breaker, policies, shifting
from proxy.wizards.forms import AnyForm, Kind, read
from proxy.wizards.subject import Document, Subject


@dataclass(frozen=True, slots=True)
class _Wizard:
    """``show`` reads what is configured, ``change`` makes objects of a form."""

    show: Callable[[Subject], AnyForm]
    change: Callable[[Any, Subject], list[Document]]


_WIZARDS: Mapping[Kind, _Wizard] = {
    "traffic-shifting": _Wizard(shifting.shifted, shifting.shift),
    "request-routing": _Wizard(shifting.routed, shifting.reroute),
    "fault-injection": _Wizard(policies.injected, policies.inject),
    "timeouts": _Wizard(policies.limited, policies.limit),
    "mirroring": _Wizard(policies.mirrored, policies.mirror),
    "circuit-breaker": _Wizard(breaker.guarded, breaker.guard),
}
KINDS: tuple[Kind, ...] = tuple(_WIZARDS)


def shown(kind: Kind, subject: Subject) -> AnyForm:
    """The form filled in with what is configured.

    Raises:
        BadInput: the wizard cannot be used on this service; the message says what to do.
    """
    return _WIZARDS[kind].show(subject)


def changed(kind: Kind, values: Any, subject: Subject) -> list[Document]:
    """The objects that differ from those that are there, without new ones that would do nothing.

    Args:
        kind: of wizard.
        values: of its form, as JSON.
        subject: the service.

    Raises:
        pydantic.ValidationError: the values do not fit the form.
        BadInput: the form does not fit the service.
    """
    made = _WIZARDS[kind].change(read(kind, values), subject)
    there = (subject.routed(kind), subject.ruled(kind))
    return [document for document in made if document not in there]
