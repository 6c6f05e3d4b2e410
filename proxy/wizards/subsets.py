"""Versions of a service as subsets of its DestinationRule."""

from collections.abc import Iterable
from dataclasses import dataclass

from proxy.wizards.subject import VERSION, Document, Subject
from vigla.errors import BadInput


@dataclass(frozen=True, slots=True)
class Subsets:
    """Subsets by version.

    Attributes:
        rule: the DestinationRule with all of them; None: nothing had to be added.
        names: subset of each version.
    """

    rule: Document | None
    names: dict[str, str]


def known(subject: Subject) -> dict[str, str]:
    """Version of each subset that stands for one."""
    rule = subject.destination_rule or {}
    return {
        str(subset["name"]): str(subset["labels"][VERSION])
        for subset in rule.get("spec", {}).get("subsets", ())
        if set(subset.get("labels", ())) == {VERSION}
    }


def subsets(subject: Subject, versions: Iterable[str], kind: str) -> Subsets:
    """A subset for each of these versions: one that is there, or a new one of the version's name.

    Raises:
        BadInput: no workload has a version, or its name is a subset of something else.
    """
    names = {version: name for name, version in reversed(known(subject).items())}
    wanted = list(versions)
    for version in wanted:
        if version not in subject.versions and version not in names:
            there = ", ".join(subject.versions) or "none"
            raise BadInput(f"no workload of {subject.service.name} has version {version}: there is {there}")
    missing = [version for version in wanted if version not in names]
    if not missing:
        return Subsets(None, names)
    rule = subject.ruled(kind)
    made = rule["spec"].setdefault("subsets", [])
    taken = {subset.get("name") for subset in made}
    for version in missing:
        if version in taken:
            raise BadInput(f"subset {version} does not stand for version {version}: rename it first")
        made.append({"name": version, "labels": {VERSION: version}})
        names[version] = version
    return Subsets(rule, names)
