"""An open project: what a script sees of it."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from weakref import WeakSet

from backline import relations
from backline.changes import Changes
from backline.collection import Clips, Effects, Markers, Notes, Sends, Tracks
from backline.document import Document
from backline.entities import Clip, Effect, Marker, Note, Send, Track, Transport
from backline.errors import BacklineError, NotAllowed, Unsaved
from backline.ledger import Ledger, untold
from backline.playback import Playback, playback
from backline.presence import People, Person
from backline.records import LANES, SECTIONS, SLOTS, Arrangement, Lane, Slots
from backline.rows import EVENTS, POINTS, SIGNATURES, TEMPO, Events, Points, Rows, Signatures, Tempo
from backline.session import Session
from backline.tickets import Tickets
from backline.timeline import Timeline
from backline.watch import Note as Noticed


class Project:
    """A project as it is now, kept up to date in the background of the event loop; made by `backline.open`.

    Reading never waits. An edit is applied and sent at once, and saved some milliseconds later: `await saved()`.
    Without a connection edits are kept and merged when it is back. They raise InvalidValue, NoSuchEntity and NotAllowed
    before anything is sent, and what has ended the project, if something has.
    """

    def __init__(self, tickets: Tickets) -> None:
        """Not connected: `backline.open` does that."""
        self._ledger = Ledger()
        document = self._document = Document(self._guard, relations.check)
        self._people = People(document.client)
        self._tickets = tickets
        self._session = Session(document, self._people, self._ledger, tickets)
        self._streams: WeakSet[Changes] = WeakSet()
        self._closed = False
        document.edited, document.noticed = self._session.edited, self._noticed
        document.listening = lambda: bool(self._streams)
        self._ledger.failed = self._end_streams
        self.tracks = Tracks(document, Track)
        self.clips = Clips(document, Clip)
        self.markers = Markers(document, Marker)
        self.notes = Notes(document, Note)
        self.effects = Effects(document, Effect)
        self.sends = Sends(document, Send)
        self.tempo = Tempo(document, "tempo", TEMPO)
        self.signatures = Signatures(document, "signatures", SIGNATURES)
        self.events = Events(document, "events", EVENTS)
        self.points = Points(document, "points", POINTS)
        self.lanes: Rows[Lane] = Rows(document, "lanes", LANES)
        self.arrangement = Arrangement(document, "arrangement", SECTIONS)
        self.slots = Slots(document, "slots", SLOTS)
        self.transport = Transport(document, "")

    # ------------------------------------------------------------------ reading

    @property
    def name(self) -> str:
        """The project's name; it is changed through the HTTP API."""
        return str(self._document.value("meta", "", "name"))

    @property
    def role(self) -> str:
        """What we may do: `owner` and `editor` write; `commenter` and `viewer` read. It may change at any time."""
        return self._session.role

    @property
    def connected(self) -> bool:
        """Whether the server is heard, and everything it had is here."""
        return self._session.synced.is_set()

    @property
    def over(self) -> BacklineError | None:
        """Why the server refuses us for good; None while it does not."""
        return self._ledger.failure

    def timeline(self) -> Timeline:
        """Ticks, seconds, bars and beats by the tempo and signatures of this moment."""
        transport = self.transport
        return Timeline(transport.bpm, transport.signature, self.tempo.values(), self.signatures.values())

    def json(self) -> dict[str, dict[str, object]]:
        """The whole document as JSON, every root, as GET /api/projects/{id}/document gives it."""
        return self._document.json()

    # ------------------------------------------------------------------ writing

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Edits inside become one update: others see all of them at once, and undo takes them back together.

        Nothing is written if an exception leaves the block. Do not await inside. Raises TransactionTooLarge above
        8,000 values or 768 KiB.
        """
        with self._document.transaction():
            yield

    def undo(self) -> bool:
        """Take back our last transaction; False if there is none. What others changed meanwhile stays."""
        return self._document.undo()

    def redo(self) -> bool:
        """Make the last undone transaction again; False if there is none."""
        return self._document.redo()

    @property
    def unsaved(self) -> list[Unsaved]:
        """Our edits without a confirmation, in order."""
        return self._ledger.unsaved

    async def saved(self, within: float | None = None) -> None:
        """Wait until every edit made before this call is committed in the server's database.

        Waits through broken connections. Raises NotSaved after `within` seconds (None: no limit), or at once when
        nothing will be saved any more; its `__cause__` says why.
        """
        await self._ledger.saved(within)

    # ------------------------------------------------------------------ others

    def changes(self, *, own: bool = False) -> Changes:
        """What happens from now on: `async for change in project.changes()`. With `own`, our own edits too.

        Raises ChangesLost to a reader that is 50,000 changes behind, and what has ended the project.
        """
        stream = Changes(own)
        if self._closed or self._ledger.failure is not None:
            stream.close(self._ledger.failure)
        self._streams.add(stream)
        return stream

    def present(self, **state: object) -> None:
        """Show something of ourselves: `present(cursor={"ctx": "timeline", "tick": 960, "track": None, "y": 0})`.

        Others see `cursor`, `sel`, `view`, `drag`, `solo`, `arm`, `play`, `away`; None takes a key away. Calls are
        gathered to at most 20 a second. Raises InvalidValue above 3,500 bytes of JSON.
        """
        self._people.show(state)
        self._session.show()

    @property
    def people(self) -> list[Person]:
        """Everybody else who is here, one entry for each open window; nobody while there is no connection."""
        return self._people.others

    @property
    def me(self) -> Person | None:
        """Ourselves as others see us; None until the server has said it."""
        return self._people.me

    def playback(self, *, follow: bool = False, connect_within: float = 30.0) -> AbstractAsyncContextManager[Playback]:
        """The shared transport: `async with project.playback() as playback: await playback.play(at=0)`.

        State and time are known when the block begins. With `follow` starts are set so far ahead that we hear of them
        in time, as for everybody who plays along. Raises Unreachable after `connect_within` seconds, and Refused.
        """
        return playback(self._tickets, follow=follow, connect_within=connect_within)

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """End all streams of changes; no edit is taken any more. `backline.open` calls it."""
        self._closed = True
        self._end_streams(self._ledger.failure)
        self._ledger.failed = untold
        self._document.close()

    @property
    def session(self) -> Session:
        """The connection, for `backline.open`."""
        return self._session

    @property
    def ledger(self) -> Ledger:
        """What is saved, for `backline.open`."""
        return self._ledger

    def _guard(self) -> None:
        if self._ledger.failure is not None:
            raise self._ledger.failure
        if not self._session.writes:
            raise NotAllowed(f"a {self.role or 'stranger'} cannot edit")

    def _end_streams(self, error: BacklineError | None) -> None:
        for stream in list(self._streams):
            stream.close(error)

    def _noticed(self, notes: list[Noticed], clients: frozenset[int] | None) -> None:
        own = clients is None
        by = self._people.me if clients is None else self._people.who(clients)
        for stream in list(self._streams):
            stream.tell(notes, by, own)

    def __repr__(self) -> str:
        return f"<Project {self.name!r}, {len(self.tracks)} tracks, {len(self.clips)} clips>"
