"""Projects over HTTP."""

from tests.api.people import Meet, code, nowhere


async def test_a_new_project_has_its_document(meet: Meet) -> None:
    """Creating a project creates its blank document in the same transaction."""
    ann = await meet("Ann")
    made = await ann.post("/api/projects", {"name": "Night drive"})
    assert made.status_code == 201
    project = made.json()
    assert project["owner"] == {"id": ann.id, "name": "Ann", "color": ann.user["color"]}
    assert (project["name"], project["role"], project["member_count"], project["epoch"]) == (
        "Night drive",
        "owner",
        1,
        1,
    )
    document = (await ann.get(f"/api/projects/{project['id']}/document")).json()
    assert document["meta"]["name"] == "Night drive"
    assert document["meta"]["project_id"] == project["id"]
    assert document["meta"]["created_by"] == ann.id
    assert set(document["tracks"]) == {"master", "lost"}


async def test_a_project_without_a_name_is_untitled(meet: Meet) -> None:
    """Neither a body nor a name is needed."""
    ann = await meet()
    assert (await ann.post("/api/projects")).json()["name"] == "Untitled"
    assert (await ann.post("/api/projects", {})).json()["name"] == "Untitled"


async def test_projects_are_listed_by_cursor(meet: Meet) -> None:
    """Every project comes once, the newest first, whatever the page size; strangers' do not come."""
    ann, ben = await meet("Ann"), await meet("Ben")
    names = [f"Song {n}" for n in range(5)]
    for name in names:
        await ann.project(name)
    await ben.project("Ben's own")
    seen, cursor = [], None
    while True:
        page = (await ann.get("/api/projects", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        assert len(page["items"]) <= 2
        seen += [project["name"] for project in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names[::-1]


async def test_a_project_is_renamed_in_its_document_too(meet: Meet) -> None:
    """The row, the document and the history tell the same name."""
    ann = await meet()
    project = await ann.project()
    renamed = await ann.patch(project, {"name": "  Day drive "})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Day drive")
    assert (await ann.get(f"{project}/document")).json()["meta"]["name"] == "Day drive"
    assert (await ann.get(f"{project}/history")).json()["items"][0]["origin"] == "rename"


async def test_a_deleted_project_is_gone_for_everybody(meet: Meet) -> None:
    """After the deletion no member finds it, and it is in no list."""
    ann = await meet()
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    assert (await ann.delete(project)).status_code == 204
    for member in (ann, ben):
        assert code(await member.get(project)) == (404, "not_found")
        assert code(await member.post(f"{project}/ticket")) == (404, "not_found")
        assert (await member.get("/api/projects")).json()["items"] == []
    assert code(await ann.delete(project)) == (404, "not_found")


async def test_a_project_that_does_not_exist_is_missing(meet: Meet) -> None:
    """An unknown id and something that is no id are the same to a caller."""
    ann = await meet()
    assert code(await ann.get(nowhere())) == (404, "not_found")
    assert code(await ann.get("/api/projects/not-an-id")) == (404, "not_found")


async def test_names_have_limits(meet: Meet) -> None:
    """A name is one printable line of 1 to 120 UTF-16 units."""
    ann = await meet()
    for name in ("", "   ", "x" * 121, "🎵" * 61, "two\nlines", "nul\0", 7, None, ["x"]):
        assert code(await ann.patch(await ann.project(), {"name": name})) == (422, "invalid"), name
    assert (await ann.post("/api/projects", {"name": "🎵" * 60})).status_code == 201


async def test_a_cursor_nobody_gave_is_refused(meet: Meet) -> None:
    """Invented cursors are a typed refusal."""
    ann = await meet()
    for cursor in ("x", "AAAA", "W10", "WyJ4IiwgInkiXQ", "x" * 399, "é", "WyIyMDI2LTAxLTAxIiwgIngiXQ"):
        assert code(await ann.get("/api/projects", params={"cursor": cursor})) == (422, "invalid"), cursor
