"""Tests of how a node asks about the projects that it has open."""

from uuid import UUID

from collab_server.heads import BLOCK_MAX, Heads
from persistence.journal import Asked, Known


def asked(heads: Heads) -> set[Known]:
    """Everything that is asked about, in blocks that are not too long."""
    found: list[Known] = []
    for block in heads.asked():
        columns = [column[1:-1].split(",") for column in block]
        assert len(columns[0]) <= BLOCK_MAX
        found += [(UUID(project), int(epoch), int(head)) for project, epoch, head in zip(*columns, strict=True)]
    assert len(found) == len(set(found))
    return set(found)


def test_every_open_project_is_asked_about_once_as_it_was_put_last() -> None:
    """However many there are, in whichever order they come, move and go."""
    heads, open_ones = Heads(), dict[UUID, Known]()
    for number in range(3 * BLOCK_MAX):
        project = UUID(int=number)
        open_ones[project] = project, 1, number
        heads.put(open_ones[project])
    assert asked(heads) == set(open_ones.values())
    for number in range(0, 3 * BLOCK_MAX, 7):
        project = UUID(int=number)
        open_ones[project] = project, 2, number + 1
        heads.put(open_ones[project])
    for number in range(0, 3 * BLOCK_MAX, 3):
        del open_ones[UUID(int=number)]
        heads.drop(UUID(int=number))
    assert asked(heads) == set(open_ones.values())


def test_new_projects_take_the_places_of_closed_ones() -> None:
    """However many come and go there are no more blocks than that, and a block without any project is gone."""
    heads = Heads()
    for number in range(2 * BLOCK_MAX):
        heads.put((UUID(int=number), 1, 0))
    for number in range(BLOCK_MAX):
        heads.drop(UUID(int=number))
        heads.drop(UUID(int=number))
        heads.put((UUID(int=number + 5 * BLOCK_MAX), 1, 0))
    assert len(list(heads.asked())) == 2
    for number in range(6 * BLOCK_MAX):
        heads.drop(UUID(int=number))
    assert list(heads.asked()) == []


def test_a_block_in_which_nothing_moves_is_written_out_once() -> None:
    """The same question again is the very same object."""
    heads = Heads()
    heads.put((UUID(int=1), 1, 5))
    (first,), (second,) = heads.asked(), heads.asked()
    assert first is second
    heads.put((UUID(int=1), 1, 6))
    (third,) = heads.asked()
    assert third == Asked(f"{{{UUID(int=1)}}}", "{1}", "{6}")


def test_what_closes_while_others_are_asked_about_is_not_asked_about() -> None:
    """The database takes its time with each block: the next is as it is then."""
    heads = Heads()
    for number in range(BLOCK_MAX + 1):
        heads.put((UUID(int=number), 1, 0))
    blocks = heads.asked()
    next(blocks)
    heads.drop(UUID(int=BLOCK_MAX))
    assert list(blocks) == []
