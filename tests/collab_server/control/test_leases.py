"""What a node hears of the documents of the projects that it leads."""

from uuid import UUID, uuid4

from collab_server.control.leases import Leases
from collab_server.control.stage import Stage
from collab_server.hosted import Hosted
from collab_server.resting import ROUNDS
from persistence.pool import Pool
from persistence.transport import Transports
from tests.collab_server.lobby import Lobby
from tests.collab_server.peer import until
from tests.collab_server.rooms import Person


class House(Lobby):
    """A lobby whose room is the only one there is."""

    async def open(self, project_id: UUID) -> Hosted:
        self.hosted.visitors += 1
        return self.hosted

    def release(self, hosted: Hosted) -> None:
        hosted.visitors -= 1


async def test_who_leads_hears_of_edits_after_the_document_was_put_away(pool: Pool, project: UUID) -> None:
    """Tempo, signatures and transport are followed for as long as the lease is held, and no longer; nothing else is."""
    house, edited = House(), list[object]()
    node = uuid4()
    stage = Stage(project)

    def hear(about: Stage) -> None:
        about.edited = False
        edited.append((leases.document(about) or {})["transport"].get("bpm"))

    leases = Leases(Transports(pool, node), house, node, lambda: 0.0, hear)
    ada = Person(10)
    house.hosted.perform(house.hosted.room.join(ada.member))
    house.hosted.perform(house.hosted.room.ask(ada.member, b"\x00"))
    ada.listen()

    def edit(update: bytes) -> None:
        house.hosted.perform(house.hosted.room.edit(ada.member, update))
        house.hosted.flush_now()
        assert house.hosted.room.doc  # sound edits are applied when somebody looks

    assert await leases.claim(stage)
    edit(ada.put("transport", "bpm", 90.0))
    await until(lambda: edited == [90])
    for bpm in (91.0, 92.0):
        for _ in range(ROUNDS + 2):
            resting = house.hosted.room.rest()
        assert resting
        edit(ada.put("transport", "bpm", bpm))
        await until(lambda: edited[-1] == bpm)  # noqa: B023
    edit(ada.track("t_1"))
    edit(ada.put("transport", "bpm", 93.0))
    await until(lambda: edited[-1] == 93)
    await leases.give_back(stage)
    edit(ada.put("transport", "bpm", 94.0))
    assert (stage.edited, house.hosted.visitors, edited) == (False, 0, [90, 91, 92, 93])
