"""A client of Backline's collaboration server, for scripts and bots.

    import asyncio, backline

    async def main() -> None:
        async with backline.open("http://127.0.0.1:8000/p/<project>", token) as project:
            drums = project.tracks.add(name="Drums", kind="midi")
            project.markers.add(tick=0, end=4 * 3840, label="Intro", kind="section")
            await project.saved()

    asyncio.run(main())

Positions are ticks (960 to the quarter note), gains dB. Names of fields are those of the document.
"""

from backline.changes import Change, Changes
from backline.entities import Clip, Effect, Marker, Note, Send, Track, Transport
from backline.errors import (
    BacklineError,
    ChangesLost,
    Closed,
    CommandRefused,
    EpochChanged,
    InvalidAddress,
    InvalidValue,
    Malformed,
    NoSuchEntity,
    NoSuchProject,
    NotAllowed,
    NotSaved,
    Refused,
    Stale,
    TicketRefused,
    TooLarge,
    TransactionTooLarge,
    Unanswered,
    Unreachable,
    Unsaved,
)
from backline.opening import open
from backline.playback import Playback
from backline.playing import Loop, Playing
from backline.presence import Person
from backline.project import Project
from backline.records import Lane, Section, Slot
from backline.rows import Event, Point
from backline.states import States
from backline.timeline import PPQ, SignatureChange, TempoPoint, Timeline

__all__ = [
    "PPQ",
    "BacklineError",
    "Change",
    "Changes",
    "ChangesLost",
    "Clip",
    "Closed",
    "CommandRefused",
    "Effect",
    "EpochChanged",
    "Event",
    "InvalidAddress",
    "InvalidValue",
    "Lane",
    "Loop",
    "Malformed",
    "Marker",
    "NoSuchEntity",
    "NoSuchProject",
    "NotAllowed",
    "NotSaved",
    "Note",
    "Person",
    "Playback",
    "Playing",
    "Point",
    "Project",
    "Refused",
    "Section",
    "Send",
    "SignatureChange",
    "Slot",
    "Stale",
    "States",
    "TempoPoint",
    "TicketRefused",
    "Timeline",
    "TooLarge",
    "Track",
    "TransactionTooLarge",
    "Transport",
    "Unanswered",
    "Unreachable",
    "Unsaved",
    "open",
]
