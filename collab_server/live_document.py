"""The document in memory and everything that applying an update entails: who touched what, repair, attribution.

Sound edits (express.py) need no repair, so they may be told before they are applied: they are put aside and applied
together when the journal asks for them, or as soon as anybody looks at the document. They lean on nothing but earlier
values of their own client, so those of one client are one update, whatever others wrote in between.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from pycrdt import Doc

from collab_server.admission import NOBODY, Admission
from collab_server.express import Lane
from collab_server.gate.deletions import Deletion, covered
from collab_server.gate.limits import TRUSTED
from collab_server.gate.update import inspect
from collab_server.gathered import Run
from collab_server.member import Member
from collab_server.pending import Pending
from collab_server.resting import ROUNDS, Resting
from persistence.body import Entry
from studio.binding import apply, reading
from studio.locks import Held
from studio.repair import Census, Firsts, Stamp, repair_update, written
from studio.watch import Touched


class LiveDocument:
    """A Doc whose every change lands in `pending`. Its client id is that of repairs: one that no crash
    has touched, so that a repair which was lost can never come back with other content under the same clock.

    Raises whatever yrs raises or panics with (a BaseException): then nothing of it can be trusted any more.
    """

    def __init__(self, doc: "Doc[Any]", admission: Admission, pending: Pending) -> None:
        self._admission = admission
        self._pending = pending
        self._aside: dict[Lane, Run] = {}
        self._aside_bytes = 0
        self._touched: list[Touched] = []
        self._firsts = Firsts.of(doc)
        self._census = Census.of(doc)
        self._resting = Resting(doc, self._touched.append)
        self._held = Held()
        self._asked_for_locks = False
        self._followers: list[tuple[frozenset[str], Callable[[], None]]] = []
        self.undone: list[tuple[Member, str]] = []
        """Who has lost an edit on which locked track, until the room has told them."""
        self._mend(None, None)  # what an older server let pass

    @property
    def doc(self) -> "Doc[Any]":
        """The document with everything applied that was told."""
        self.settle()
        return self._doc

    @property
    def applied(self) -> "Doc[Any]":
        """The document without what is put aside, which are values of plain fields alone."""
        return self._doc

    def glance(self) -> "Doc[Any]":
        """To read it once, everything applied: it is not taken out for that if it is put away."""
        self.settle()
        return self._resting.glance()

    def on_look(self, notice: Callable[[], object]) -> None:
        """Call `notice` when somebody looks at the document for the first time since `rest`."""
        self._resting.on_look(notice)

    def rest(self, patience: int = ROUNDS) -> bool:
        """Some seconds have passed: if nobody has looked at the document for `patience` rounds, its encoded form alone
        is kept. Whether that is so."""
        return not self._aside and self._resting.round(patience)

    def has_deleted(self, deletes: Sequence[Deletion]) -> bool:
        """Whether all of these are deleted already, as far as the document tells."""
        return not deletes or covered(inspect(self.diff(self.vector()), TRUSTED).deletes, deletes)

    @property
    def repairer(self) -> int | None:
        """The client id of its repairs, if there were any, now or under an earlier user of that id."""
        client = self._resting.client_id
        return client if client in self._admission.bound else None

    def vector(self) -> bytes:
        """The state vector of everything told so far."""
        self.settle()
        return self._resting.vector()

    def state(self) -> bytes:
        """The whole document, encoded."""
        self.settle()
        return self._resting.state()

    def diff(self, vector: bytes) -> bytes:
        """What somebody with this state vector lacks."""
        return self.doc.get_update(vector)

    def crowded(self) -> bool:
        """Whether a root holds more entries than it may."""
        return self._census.over(self.doc)

    def put_aside(self, run: Run) -> None:
        """A sound run, to be applied later."""
        assert run.lane is not None
        size = sum(map(len, run.updates))
        self._aside_bytes += size
        self._pending.size += size
        held = self._aside.setdefault(run.lane, run)
        if held is not run:
            held.absorb(run)

    def locked(self, now_ms: int) -> bool:
        """Whether somebody holds a track: then every edit has to be looked at as it comes."""
        if not self._asked_for_locks:
            self._asked_for_locks = True
            with reading(self.doc) as reader:
                self._held.look(reader, reader.ids("tracks"), now_ms)
        if self._held.locks:
            self._held.expire(now_ms)
        return bool(self._held.locks)

    def settle(self) -> None:
        """Apply what was put aside, one update for each client, all in one transaction. If yrs fails it stays aside,
        for the next to fail too: what was never applied must not be taken for saved."""
        if not self._aside:
            return
        settled = [(run, run.joined()) for run in self._aside.values()]
        self._resting.apply_unnoticed([update for _, updates in settled for update in updates])
        for run, updates in settled:
            self._noted(run.touched)
            edits = len(run.updates) + run.absorbed
            self._pending.add(run.member.user_id, "edit", updates, run.touched, edits)
        self._aside.clear()
        self._pending.size -= self._aside_bytes
        self._aside_bytes = 0

    def edit(self, member: Member, updates: list[bytes], edits: int, now_ms: int) -> list[tuple[Member | None, bytes]]:
        """Apply one author's consecutive updates and repair what they broke: what is to be told, in order."""
        self.settle()
        apply(self._doc, updates)
        touched = self._taken()
        self._pending.add(member.user_id, "edit", updates, touched, edits)
        told: list[tuple[Member | None, bytes]] = [(member, update) for update in updates]
        return told + [(None, update) for update in self._answered(member, touched, now_ms)]

    def edit_quietly(self, member: Member, updates: list[bytes], now_ms: int) -> list[tuple[Member | None, bytes]]:
        """Apply updates that bring no new structs: only those whose deletions are news are told."""
        self.settle()
        told: list[tuple[Member | None, bytes]] = []
        for update in updates:
            apply(self._doc, (update,))
            touched = self._taken()
            if touched:
                self._pending.add(member.user_id, "edit", [update], touched, 1)
                told.append((member, update))
                told += [(None, answer) for answer in self._answered(member, touched, now_ms)]
        return told

    def grow(self, entries: Sequence[Entry], now_ms: int) -> list[bytes]:
        """Apply what another process committed: believed, not judged. Returns it with what had to be repaired."""
        self.settle()
        updates = [entry.update for entry in entries]
        apply(self._doc, updates)
        for author, update in entries:
            self._admission.own(update, reserve=author is None)  # another server's own client id is nobody's
        touched = self._taken()
        self._firsts.accept(self._doc, touched)
        mended = self._mend(touched, None)
        self._note_locks(touched, now_ms)
        return [*updates, *mended]

    def follow(self, roots: Iterable[str], notice: Callable[[], None]) -> Callable[[], None]:
        """Calls `notice` whenever one of these roots was touched, put away in between or not; the result ends that."""
        follower = frozenset(roots), notice
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)

    def close(self) -> None:
        """Let the document go: an observer that is never removed pins it."""
        self._resting.close()

    @property
    def _doc(self) -> "Doc[Any]":
        return self._resting.doc

    def _answered(self, member: Member, touched: list[Touched], now_ms: int) -> list[bytes]:
        """What the server writes when a member's edit was applied: locked tracks as they were, and repairs."""
        stamp = Stamp(str(member.user_id), now_ms)
        if not self._held.locks:
            return self._mend(touched, stamp)
        with reading(self._doc) as reader:
            writes, tracks = self._held.against(reader, touched, str(member.user_id))
        answers: list[bytes] = []
        if writes:
            self.undone += [(member, track) for track in tracks]
            update = written(self._doc, writes, "server/lock")
            rewritten = self._taken()
            self._own(update, "lock", rewritten)
            self._firsts.accept(self._doc, rewritten)
            answers.append(update)
            made_anew = {(write.root, write.id) for write in writes if not write.key and not write.removed}
            touched = [note for note in touched if (note.root, note.id) not in made_anew]
        answers += self._mend(touched, stamp)
        self._note_locks([*touched, *(Touched(w.root, w.id, frozenset({w.key})) for w in writes)], now_ms)
        return answers

    def _note_locks(self, touched: list[Touched], now_ms: int) -> None:
        """What the document holds now is right."""
        tracks = {note.id for note in touched if note.root == "tracks" and not note.keys.isdisjoint(("", "lock"))}
        if not tracks and not self._held.locks:
            return
        with reading(self._doc) as reader:
            self._held.look(reader, sorted(tracks), now_ms)
            if self._held.locks:
                self._held.note(reader, touched)

    def _mend(self, touched: list[Touched] | None, stamp: Stamp | None) -> list[bytes]:
        """Repair what was touched (None: everything); the update that did it, if there was anything to repair."""
        _, mended = repair_update(self._doc, touched, self._firsts, stamp)
        if not mended:
            return []
        self._own(mended, "repair", self._taken())
        return [mended]

    def _own(self, update: bytes, origin: str, touched: list[Touched]) -> None:
        """The server itself has written this."""
        client = self._resting.client_id
        if client not in self._admission.bound:
            self._admission.reserve(client)
            self._pending.bind(client, NOBODY)
        self._admission.own(update)
        self._pending.add(None, origin, [update], touched, 1)

    def _taken(self) -> list[Touched]:
        touched = self._touched[:]
        self._touched.clear()
        self._noted(touched)
        return touched

    def _noted(self, touched: Collection[Touched]) -> None:
        self._census.note(touched)
        for roots, notice in self._followers:
            if any(note.root in roots for note in touched):
                notice()
