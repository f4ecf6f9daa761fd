"""OPERATIONS.md against the apps' own settings."""

import re

from tests.deploy.support import ROOT, settings_names

LIMITS = "COLLAB__LIMITS__"


def test_every_setting_is_described() -> None:
    """Each variable that an app reads stands there: in full, as a limit by its name, or beside one it shares a section
    with."""
    named = set(re.findall(r"`([A-Z0-9_]+)`", (ROOT / "OPERATIONS.md").read_text()))
    short = tuple(name for name in named if name.startswith("__"))
    missing = {
        name
        for name in settings_names()
        if name not in named and name.removeprefix(LIMITS) not in named and not (short and name.endswith(short))
    }
    assert missing == set()


def test_links_lead_somewhere() -> None:
    """A heading that another page points to is there."""
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in (ROOT / "OPERATIONS.md").read_text().splitlines()
        if line.startswith("#")
    }
    pages = [*ROOT.glob("*.md"), *(ROOT / "deploy").glob("*.md")]
    wanted = {anchor for page in pages for anchor in re.findall(r"OPERATIONS\.md#([\w-]+)\)", page.read_text())}
    assert wanted
    assert wanted <= headings
