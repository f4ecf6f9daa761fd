"""Bringing a converged document back to its invariants (document design §2).

Repair is a pure function of the document and of what the server saw first. It reads only what was touched, and
writes in one transaction of origin "server/repair", only if something must be written. It never deletes a
musician's material: orphans go to the "lost" track.
"""

from studio.repair.firsts import Firsts
from studio.repair.limits import Census, over_limit
from studio.repair.plan import ORIGIN, Repair, Stamp, everything, repair, repair_update, written

__all__ = [
    "ORIGIN",
    "Census",
    "Firsts",
    "Repair",
    "Stamp",
    "everything",
    "over_limit",
    "repair",
    "repair_update",
    "written",
]
