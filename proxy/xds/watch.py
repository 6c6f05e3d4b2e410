"""What one proxy watches of one type: which names, what it was sent, and what it said to that."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from proxy.xds.resources import WILDCARD, Resource, Resources, placeholder, version_of

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Update:
    """What a response carries.

    Attributes:
        changed: resources that the proxy does not have in this version.
        removed: names that are no more.
        everything: all that the proxy has when this update is applied.
        version: of ``everything`` taken together.
    """

    changed: tuple[Resource, ...]
    removed: tuple[str, ...]
    everything: tuple[Resource, ...]
    version: str

    @property
    def names(self) -> frozenset[str]:
        """Names that the update is about."""
        return frozenset((*(r.name for r in self.changed), *self.removed))


@dataclass(frozen=True, slots=True)
class Nack:
    """A response that the proxy refused; it keeps what it had before."""

    message: str
    version: str
    names: frozenset[str]


@dataclass(slots=True)
class Watch:
    """State of one type on one stream.

    Attributes:
        names: that the proxy asked for, where it does not watch everything.
        sent: what the proxy has been sent; still there after a refusal, so that it is not sent again.
        owed: names to answer for though the proxy may have them already.
        due: an answer is expected now, out of turn.
        waiting: responses without answer by nonce, oldest first.
        nonce: of the newest response.
    """

    type_url: str
    wildcard: bool = False
    names: set[str] = field(default_factory=set)
    sent: dict[str, Resource] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    due: bool = True
    answered: bool = False
    waiting: dict[str, Update] = field(default_factory=dict)
    nonce: str = ""
    sent_at: float = 0.0
    version: str = ""
    acked: str = ""
    nack: Nack | None = None

    def subscribe(self, names: Iterable[str]) -> None:
        """Watch these too; each is answered for, even when it was watched before."""
        asked = set(names)
        if EVERYTHING in asked or (self.type_url in WILDCARD and not asked and not self.answered):
            self.wildcard = True
        asked.discard(EVERYTHING)
        self.names |= asked
        self.owed |= asked
        self.due = self.due or bool(asked)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Watch these no more."""
        for name in names:
            if name == EVERYTHING:
                self.wildcard = False
            self.names.discard(name)
            self.owed.discard(name)
            if not self.wildcard:
                self.sent.pop(name, None)

    def replace(self, names: Iterable[str]) -> None:
        """Watch exactly these."""
        wanted = set(names)
        self.unsubscribe(self.names - wanted)
        self.subscribe(wanted - self.names)

    def update(self, resources: Resources, *, keep: bool) -> Update | None:
        """The next response from these resources, or ``None`` when there is nothing to say.

        Args:
            resources: all of this type.
            keep: what is gone stays with the proxy for now.
        """
        seen = resources if self.wildcard else {n: resources[n] for n in self.names if n in resources}
        found = dict(seen)
        for name in self.owed - found.keys():
            if (empty := placeholder(self.type_url, name)) is not None:
                found[name] = empty
        changed = tuple(r for n, r in found.items() if n in self.owed or self._lacks(r))
        gone = [n for n in self.sent if n not in found]
        removed = tuple(gone) if self.wildcard and not keep else ()
        first = self.wildcard and not self.answered  # Envoy waits for an answer, be it empty
        self.owed, self.due = set(), False
        if not (changed or removed or first):
            return None
        everything = (*found.values(), *(self.sent[n] for n in gone if n not in removed))
        return Update(changed, removed, everything, version_of(everything))

    def _lacks(self, resource: Resource) -> bool:
        known = self.sent.get(resource.name)
        return known is None or known.version != resource.version

    def sending(self, update: Update, nonce: str, now: float) -> None:
        """Note that a response leaves."""
        self.answered = True
        self.sent = {r.name: r for r in update.everything}
        self.version = update.version
        self.waiting[nonce] = update
        self.nonce = nonce
        self.sent_at = now

    def settle(self, nonce: str, error: str | None) -> Nack | None:
        """Note the proxy's answer to a response; returns its refusal, if it is one.

        Args:
            nonce: of the response; unknown ones are ignored.
            error: why it was refused.
        """
        if nonce not in self.waiting:
            return None
        while self.waiting:  # answers come in order: one for a later response settles the earlier ones
            first = next(iter(self.waiting))
            update = self.waiting.pop(first)
            if first == nonce:
                break
        if error is not None:
            self.nack = Nack(error, update.version, update.names)
            return self.nack
        self.acked = update.version
        if self.nack and self.nack.names & update.names:
            self.nack = None
        return None
