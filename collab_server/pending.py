"""What a room has applied and told but not yet committed: gathered here between two flushes of the journal."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from collab_server.member import Member
from persistence.body import Entry, encode
from persistence.journal import Batch, Change
from studio.watch import Touched, paths_of

PATHS_PER_CHANGE_MAX = 200
"""A change that touched more names only its roots: nobody reads a list of ten thousand clips."""


class Attribution:
    """What one author did since the last flush."""

    __slots__ = ("edits", "touched")

    def __init__(self) -> None:
        self.edits = 0
        self.touched: dict[tuple[str, str], set[str]] = {}

    def touch(self, touched: Iterable[Touched]) -> None:
        """Add changed places."""
        for root, id, keys in touched:
            self.touched.setdefault((root, id), set()).update(keys)

    def paths(self) -> tuple[str, ...]:
        """`root/id/key` of every changed place, sorted."""
        paths = [path for (root, id), keys in sorted(self.touched.items()) for path in paths_of(root, id, keys)]
        return tuple(paths if len(paths) <= PATHS_PER_CHANGE_MAX else sorted({root for root, _ in self.touched}))


@dataclass(slots=True)
class Flight:
    """One room's part of a flush: what goes to the journal, and what is told to whom when it has landed."""

    batch: Batch | None
    acks: list[tuple[Member, list[bytes]]]
    size: int
    """Bytes of its updates."""
    head: int
    """The row up to which the document was known when it left."""
    state: bytes | None = None
    """The encoded document as of this flight, when compaction is due."""


class Pending:
    """Updates, their authors and their changed places, in order of arrival."""

    def __init__(self) -> None:
        self.size = 0
        self._entries: list[Entry] = []
        self._acks: list[tuple[Member, list[bytes]]] = []
        self._by_author: dict[tuple[UUID | None, str], Attribution] = {}
        self._clients: list[tuple[int, UUID]] = []

    def __bool__(self) -> bool:
        return bool(self._entries or self._acks)

    def bind(self, client: int, user: UUID) -> None:
        """A client id is heard for the first time."""
        self._clients.append((client, user))

    def add(
        self,
        author: UUID | None,
        origin: str,
        updates: list[bytes],
        touched: Iterable[Touched],
        edits: int | None = None,
    ) -> None:
        """Updates were applied and must be committed; `edits` if they stand for more edits than they are."""
        attribution = self._by_author.get((author, origin))
        if attribution is None:
            attribution = self._by_author[author, origin] = Attribution()
        attribution.edits += edits or len(updates)
        attribution.touch(touched)
        for update in updates:
            self._entries.append(Entry(author, update))
            self.size += len(update)

    def acknowledge(self, member: Member, updates: list[bytes]) -> None:
        """Tell `member` its own updates once everything added so far is committed."""
        self._acks.append((member, updates))

    def forget(self) -> None:
        """Nothing of it may be committed, and nobody is told that it was saved."""
        self._entries, self._acks, self._by_author, self._clients, self.size = [], [], {}, [], 0

    def take(self, project_id: UUID, epoch: int, head: int) -> Flight:
        """Hand over everything and start empty; `head` is the row up to which the document is known."""
        batch = self._batch(project_id, epoch) if self._entries else None
        flight = Flight(batch, self._acks, self.size, head)
        self.forget()
        return flight

    def _batch(self, project_id: UUID, epoch: int) -> Batch:
        changes = tuple(
            Change(author, origin, attribution.edits, attribution.paths())
            for (author, origin), attribution in self._by_author.items()
        )
        edits = sum(change.edits for change in changes)
        return Batch(project_id, epoch, encode(self._entries), edits, changes, tuple(self._clients))
