"""The rooms of one process: opened once, fed with what other processes say, let go after the last leave and commit."""

import asyncio
from functools import partial
from uuid import UUID

import structlog

from collab_server.care import Care
from collab_server.chores import Chores
from collab_server.closing import CloseCode
from collab_server.connection import Connection
from collab_server.hosted import Hosted
from collab_server.keeper import Keeper
from collab_server.loss import Inquiry
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.neighbours import Neighbours
from collab_server.news import News
from collab_server.opening import open_room
from collab_server.pending import Flight
from collab_server.reception import Reception
from collab_server.register import Register
from collab_server.safekeeping import Safe, Safekeeping
from collab_server.settings import CollabSettings
from collab_server.spoils import SPOILS_MAX, Spoils
from collab_server.tasks import Tasks
from collab_server.writer import Writer
from persistence.errors import TRANSIENT
from persistence.journal import Asked, Journal, Refused
from presence.bus import Bus
from presence.events import Event, SetAside

SALVAGE_SECONDS = 300.0
"""For so long after a start (the process before may have been killed) or a spoiled room people bring back what others
had told them."""

REST_SECONDS = 0.1
"""How often an empty room asks whether the rows it lacks have come."""


class Hub:
    """Owns rooms and connections. Everything runs in one event loop."""

    def __init__(
        self,
        settings: CollabSettings,
        node_id: UUID,
        journal: Journal,
        keeper: Keeper,
        safe: Safe,
        register: Register,
        bus: Bus,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.node_id = node_id
        self.keeper = keeper
        self.register = register
        self.writer = Writer(journal, settings, metrics, self._landed, self._refused, self._recovered)
        self.rooms: dict[UUID, Hosted] = {}
        self.connections: dict[UUID, Connection] = {}
        self.draining = False
        self.spending: set[Connection] = set()
        self.care = Care(asyncio.get_running_loop().time())
        self._journal = journal
        self.bus = bus
        self._opening: dict[UUID, asyncio.Task[Hosted]] = {}
        self._early: dict[UUID, list[Event]] = {}
        self._loop = asyncio.get_running_loop()
        self._spoils = Spoils(self._loop.time())
        self.tasks = Tasks()
        self.start = self.tasks.start
        self.safekeeping = Safekeeping(safe, self.start, self.charge, settings.limits.merge_snapshot_seconds_min)
        self._log = structlog.get_logger("hub")
        self.news = News(self, journal, keeper, bus)
        self._reception = Reception(self, register)

    # ------------------------------------------------------------------ connections

    def enter(self, connection: Connection) -> None:
        """Begin to open the connection's room."""
        if self.draining:
            connection.close(CloseCode.DRAINING, "this server is about to stop")
        elif self._is_full(connection):
            connection.close(CloseCode.TRY_AGAIN_LATER, "this server is full")
        else:
            self.connections[connection.id] = connection
            self.care.connections.put(connection.id, self._loop.time() + self.settings.look_seconds)
            self.start(self._reception.receive(connection))

    def _is_full(self, connection: Connection) -> bool:
        limits = self.settings.limits
        known = connection.project_id in self.rooms or connection.project_id in self._opening
        return len(self.connections) >= limits.connections_max or (
            not known and len(self.rooms) + len(self._opening) >= limits.rooms_max
        )

    def left(self, connection: Connection) -> None:
        """A connection ended."""
        self.connections.pop(connection.id, None)
        self.spending.discard(connection)
        if connection.hosted is not None and connection.member is not None:
            self._leave(connection.hosted, connection.member)
        connection.hosted = connection.member = None

    def spends(self, connection: Connection) -> None:
        """The connection's rate must be filled up at the next second."""
        self.spending.add(connection)

    def full(self) -> bool:
        """Whether more waits for the database than may."""
        return (
            self.writer.failing_since is not None and self.writer.unsaved_bytes > self.settings.limits.unsaved_bytes_max
        )

    def _leave(self, hosted: Hosted, member: Member) -> None:
        member.write = _nowhere  # an acknowledgement may still be on its way
        hosted.leave(member)
        self.safekeeping.unsent(hosted, member)
        self.register.left(member.id, member.edits)
        self._may_unload(hosted)

    # ------------------------------------------------------------------ rooms

    async def open(self, project_id: UUID) -> Hosted:
        """The room, loaded once however many ask; the caller counts as a visitor until `release`."""
        hosted = self.rooms.get(project_id)
        if hosted is None:
            task = self._opening.get(project_id)
            if task is None:
                task = self._opening[project_id] = self.start(self._open(project_id))
            hosted = await asyncio.shield(task)
        hosted.visitors += 1
        return hosted

    def release(self, hosted: Hosted) -> None:
        """A visitor who came by `open` needs the room no more."""
        hosted.visitors -= 1
        self._may_unload(hosted)

    async def _open(self, project_id: UUID) -> Hosted:
        early = self._early.setdefault(project_id, [])
        try:
            await self.bus.subscribe(project_id, lambda event: self._heard(project_id, event))
            room, loaded = await open_room(self._journal, project_id, self.settings.limits)
            bytes_ = sum(len(row.body) for row in loaded.tail)
            neighbours = Neighbours(self.bus, self.node_id, project_id)
            inquiry = Inquiry(neighbours.ask, partial(self.keeper.lost, project_id), neighbours.heard_at)
            chores = Chores(len(loaded.tail), bytes_, projection_due=loaded.projected < loaded.head)
            hosted = Hosted(room, self, neighbours, inquiry, self._loop, chores)
            inquiry.suppose(self._spoils.last(project_id) + SALVAGE_SECONDS)
            self.rooms[project_id] = hosted
            self._look_after(hosted)
            if room.pending:
                hosted.record()
        except BaseException:
            await self.bus.unsubscribe(project_id)
            raise
        finally:
            del self._early[project_id]
            del self._opening[project_id]
        for event in early:
            self.news.hear(hosted, event)
        neighbours.ask()
        return hosted

    def _look_after(self, hosted: Hosted) -> None:
        project_id, care = hosted.project_id, self.care
        care.rooms.put(project_id, self._loop.time())
        care.heads.put(hosted.known)
        care.awake.add(project_id)
        hosted.room.on_look(partial(care.awake.add, project_id))
        if hosted.chores.projection_due:
            care.edited.add(project_id)

    def _heard(self, project_id: UUID, event: Event) -> None:
        """The bus speaks of a project: to its room, or for later while it is being opened."""
        hosted = self.rooms.get(project_id)
        if hosted is not None:
            self.news.hear(hosted, event)
        elif project_id in self._early:
            self._early[project_id].append(event)

    def _may_unload(self, hosted: Hosted) -> None:
        if hosted.empty and not hosted.unloading and not hosted.closed:
            hosted.unloading = True
            self.start(self._unload(hosted))

    async def _unload(self, hosted: Hosted) -> None:
        """Everything is committed and kept before the room goes; whoever comes meanwhile joins the closing room."""
        try:
            await self._rest(hosted)
            if hosted.empty and hosted.chores.unkept and not hosted.closed:
                await self.keeper.snapshot(hosted, "last_leave")
                await self.keeper.project(hosted)
            due = hosted.chores.rows > self.settings.compact_at_unload_rows
            if due and hosted.empty and hosted.settled and not hosted.closed:
                await self.keeper.compact(hosted, hosted.room.head, hosted.room.state())
        finally:
            hosted.unloading = False
        if not hosted.settled:
            self._may_unload(hosted)  # something came meanwhile
            return
        if not hosted.empty or hosted.closed:
            return
        hosted.perform(hosted.room.attendance.tick())  # the other nodes hear of the last leave too
        self._forget(hosted.project_id)
        await self._let_go(hosted)

    async def _rest(self, hosted: Hosted) -> None:
        """Wait until everything said is committed and everything missing is read; a dropped room never is."""
        hosted.flush_now()
        while (hosted.recording or hosted.flying or hosted.behind) and not hosted.closed:
            await (asyncio.sleep(REST_SECONDS) if hosted.behind else self.writer.idle())

    async def _let_go(self, hosted: Hosted) -> None:
        """Close a room whose every repair is committed: its client id is free for the next."""
        repairer = hosted.room.repairer
        hosted.close()
        await self.bus.unsubscribe(hosted.project_id)
        if repairer is not None:
            await self._journal.free(hosted.project_id, repairer)

    def _forget(self, project_id: UUID) -> None:
        """The project is not open here any more."""
        del self.rooms[project_id]
        self.care.heads.drop(project_id)

    def drop(self, hosted: Hosted, code: CloseCode, reason: str) -> None:
        """Everybody leaves a room that must be loaded anew (or never again)."""
        if self.rooms.get(hosted.project_id) is hosted:
            self._forget(hosted.project_id)
            self.start(self.bus.unsubscribe(hosted.project_id))
        hosted.closed = True
        for member in list(hosted.room.members):
            self.expel(hosted, member, code, reason)
        hosted.close()

    # ------------------------------------------------------------------ asked by rooms

    def record(self, hosted: Hosted) -> None:
        """A room has something for the journal."""
        self.writer.record(hosted)

    def expel(self, hosted: Hosted, member: Member, code: CloseCode, reason: str) -> None:
        """Close a member's connection; nothing it sends from now on is heard."""
        connection = self.connections.get(member.id)
        if connection is None:
            return
        hosted.tell_saved()
        self._log.info(
            "expelled", project=str(hosted.project_id), connection=str(member.id), code=code.value, reason=reason
        )
        connection.close(code, reason)
        self.left(connection)

    def charge(self, member: Member, seconds: float, size: int = 0) -> None:
        """Count the time that a member's edits have taken, and bytes kept because of them, against its rate."""
        connection = self.connections.get(member.id)
        if connection is not None:
            connection.charge(seconds, size)

    def hold(self, member: Member, update: bytes, merge: bool) -> None:
        """Hear nothing more of a member until `hear_again`, and then this first."""
        connection = self.connections.get(member.id)
        if connection is not None:
            connection.hold(update, merge)

    def hear_again(self, member: Member) -> None:
        """Hear a member again that was held."""
        connection = self.connections.get(member.id)
        if connection is not None:
            connection.release()

    async def holds_all(self, hosted: Hosted) -> bool:
        """Whether the room holds every row of the journal; False also while the database does not answer."""
        try:
            moved = await self._journal.moved(Asked.about([hosted.known]))
        except TRANSIENT:
            return False
        return not moved and not hosted.behind

    def spoiled(self, hosted: Hosted, reason: str) -> None:
        """The document in memory can't be trusted: load it anew, or set it aside when that keeps happening."""
        count = self._spoils.note(hosted.project_id, self._loop.time())
        self._log.error("room spoiled", project=str(hosted.project_id), reason=reason, count=count)
        self.metrics.refused("spoiled")
        self.drop(hosted, CloseCode.SERVICE_RESTART, "the room is loaded anew: come back")
        if count >= SPOILS_MAX:
            self.metrics.quarantines += 1
            self.start(self._set_aside(hosted.project_id, reason))

    async def _set_aside(self, project_id: UUID, reason: str) -> None:
        await self._journal.quarantine(project_id, reason)
        self.bus.publish(SetAside(project_id))

    # ------------------------------------------------------------------ told by the journal

    async def _landed(self, hosted: Hosted, flight: Flight, seq: int | None) -> None:
        if hosted.closed:
            return
        before = hosted.room.head
        hosted.perform(hosted.room.landed(flight, seq))
        if seq is None or flight.batch is None:
            return
        hosted.moved()
        hosted.chores.rows += 1
        hosted.chores.bytes += len(flight.batch.body)
        hosted.neighbours.grew(hosted.room.epoch, seq, flight.batch.body)
        if seq > before + 1:
            self.news.catch_up(hosted, before)
        elif flight.state is not None and seq == flight.head + 1:  # no row of another node came in between
            self.start(self.keeper.compact(hosted, seq, flight.state))

    def _refused(self, hosted: Hosted, reason: Refused) -> None:
        codes = {
            Refused.MISSING: (CloseCode.NO_SUCH_PROJECT, "the project was deleted"),
            Refused.EPOCH: (CloseCode.EPOCH_CHANGED, "the project was rebuilt"),
            Refused.QUARANTINED: (CloseCode.LOAD_FAILED, "the project is set aside"),
            Refused.CLIENT_TAKEN: (CloseCode.SERVICE_RESTART, "a client id is taken: come back"),
        }
        self._log.error("journal refused a room", project=str(hosted.project_id), reason=reason.value)
        self.drop(hosted, *codes[reason])

    def _recovered(self) -> None:
        """The line that tells of memberships was cut as well, and may not have noticed yet."""
        self.start(self.news.check_all_memberships())


def _nowhere(_: bytes) -> None:
    """Who has left is told nothing any more."""
