"""The document as JSON."""

from persistence.pool import open_pool
from studio.schema import ROOT_NAMES
from tests.api.people import Meet, code

QUARANTINE = "update documents set quarantined_at = now(), quarantine_reason = 'a test' where project_id = $1"


async def test_every_root_is_there(meet: Meet) -> None:
    """The canonical form has all roots, whoever reads it."""
    ann = await meet("Ann")
    project = await ann.project()
    viewer = await meet("Vi", ann, project, "viewer")
    shown = await viewer.get(f"{project}/document")
    assert set(shown.json()) == ROOT_NAMES
    assert shown.json() == (await ann.get(f"{project}/document")).json()


async def test_a_quarantined_document_says_so(meet: Meet, database: str) -> None:
    """Reads and edits of a document that waits for an operator are 503; other projects do not notice."""
    ann = await meet("Ann")
    project, other = await ann.project(), await ann.project()
    pool = await open_pool(database)
    await pool.execute(QUARANTINE, project.rsplit("/", 1)[1])
    await pool.close()
    assert code(await ann.get(f"{project}/document")) == (503, "document_unavailable")
    assert code(await ann.post(f"{project}/markers", {"tick": 0, "label": "x"})) == (503, "document_unavailable")
    assert (await ann.get(f"{other}/document")).status_code == 200
