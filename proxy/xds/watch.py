"""What one proxy watches of one type: which names, what it was sent, and what it said to that."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from proxy.xds.resources import WILDCARD, Resource, Resources, placeholder, version_of

EVERYTHING = "*"
MAX_WAITING = 100  # responses; who leaves more without answer is not asked about the older ones any more


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
        greeting: and be it empty: everything is watched from now on.
        waiting: responses without answer by nonce, oldest first.
        nonce: of the newest response.
    """

    type_url: str
    wildcard: bool = False
    names: set[str] = field(default_factory=set)
    sent: dict[str, Resource] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    due: bool = True
    greeting: bool = False
    answered: bool = False
    waiting: dict[str, Update] = field(default_factory=dict)
    nonce: str = ""
    sent_at: float = 0.0
    version: str = ""
    acked: str = ""
    nack: Nack | None = None

    @property
    def whole(self) -> bool:
        """Whether the proxy is told of what is gone: of endpoints and routes it is not, it ceases to ask."""
        return self.wildcard or self.type_url in WILDCARD

    def begin(self, names: Iterable[str]) -> None:
        """The first request: no names mean everything where that is possible."""
        asked = set(names)
        self.subscribe(asked or ({EVERYTHING} if self.type_url in WILDCARD else ()))

    def subscribe(self, names: Iterable[str]) -> None:
        """Watch these too; each is answered for, even when it was watched before."""
        asked = set(names)
        if EVERYTHING in asked:
            asked.remove(EVERYTHING)
            self.greeting = self.greeting or not self.wildcard
            self.wildcard = True
        self.names |= asked
        self.owed |= asked
        self.due = self.due or self.greeting or bool(asked)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Watch these no more."""
        left = set(names)
        if EVERYTHING in left:
            self.wildcard = self.greeting = False
        covered = left & self.names
        self.names -= left
        self.owed -= left
        if self.wildcard:  # the proxy cannot know whether they are part of everything
            self.owed |= covered
            self.due = self.due or bool(covered)
            return
        self.sent = {name: found for name, found in self.sent.items() if name in self.names}
        if self.nack and not self.nack.names & self.names:
            self.nack = None

    def replace(self, names: Iterable[str]) -> None:
        """Watch exactly these."""
        wanted = set(names)
        watched = self.names | ({EVERYTHING} if self.wildcard else set())
        self.unsubscribe(watched - wanted)
        self.subscribe(wanted - watched)

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
        removed = tuple(gone) if self.whole and not keep else ()
        if self.whole:  # asked for, and never there
            removed += tuple(sorted(self.owed - found.keys() - self.sent.keys()))
        greeting = self.greeting
        self.owed, self.due, self.greeting = set(), False, False
        if not (changed or removed or greeting):
            self._settled(found)
            return None
        everything = (*found.values(), *(self.sent[n] for n in gone if n not in removed))
        return Update(changed, removed, everything, version_of(everything))

    def loses(self, resources: Resources) -> bool:
        """Whether the proxy has something that is not among these."""
        return self.whole and any(name not in resources for name in self.sent)

    def _settled(self, found: Resources) -> None:
        """Who came back with all of it has it, though nothing was sent."""
        if self.sent and not self.answered:
            self.answered = True
            self.version = self.acked = version_of(found.values())

    def _lacks(self, resource: Resource) -> bool:
        known = self.sent.get(resource.name)
        return known is None or known.version != resource.version

    def sending(self, update: Update, nonce: str, now: float) -> None:
        """Note that a response leaves."""
        self.answered = True
        self.sent = {r.name: r for r in update.everything}
        self.version = update.version
        self.waiting[nonce] = update
        if len(self.waiting) > MAX_WAITING:
            del self.waiting[next(iter(self.waiting))]
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
