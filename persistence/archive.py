"""What is kept of one document, read as it stands: quarantined, damaged and deleted ones too. For operators.

`Journal.load` refuses what it may not serve; here whatever can be read is given, with what is wrong with it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from persistence.errors import NotFound
from persistence.journal import Loaded, Row
from persistence.pool import Connection

DOCUMENT = """
select p.name, p.owner_id, p.deleted_at, d.epoch, d.head, d.quarantined_at, d.quarantine_reason,
       d.created_at, d.updated_at,
       s.epoch as state_epoch, s.seq as state_seq, s.state, s.sha256, s.created_at as state_at
  from documents d
  join projects p on p.id = d.project_id
  left join document_states s on s.project_id = d.project_id
 where d.project_id = $1
"""
ROWS = "select seq, body, edits, created_at from document_updates where project_id = $1 order by seq"
CLIENTS = "select client_id, user_id from document_clients where project_id = $1 order by client_id"
SEQ_AT = "select max(seq) from document_changes where project_id = $1 and created_at <= $2"


class KeptRow(NamedTuple):
    """A row of the journal, as it stands."""

    seq: int
    body: bytes
    edits: int
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptState:
    """The compacted state up to and including row `seq`."""

    epoch: int
    seq: int
    data: bytes
    sha256: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A document's record, state and rows as of one moment, unchecked."""

    project_id: UUID
    name: str
    owner_id: UUID
    deleted_at: datetime | None
    created_at: datetime
    updated_at: datetime
    epoch: int
    head: int
    quarantined_at: datetime | None
    quarantine_reason: str
    state: KeptState | None
    rows: list[KeptRow]
    clients: dict[int, UUID]

    @property
    def floor(self) -> int:
        """The earliest row whose moment can be rebuilt from state and rows; 0 is before the first row."""
        return self.state.seq if self.state is not None else 0

    def state_problem(self) -> str:
        """What is wrong with the stored state, "" if nothing is."""
        state = self.state
        if state is None:
            return ""
        if hashlib.sha256(state.data).digest() != state.sha256:
            return "the state's sha256 does not match"
        if state.epoch != self.epoch:
            return f"the state is of epoch {state.epoch}, the document of {self.epoch}"
        return f"the state is at row {state.seq}, beyond the head {self.head}" if state.seq > self.head else ""

    def rows_problem(self) -> str:
        """What is wrong with the numbers of the rows, "" if they follow the state without a gap up to the head."""
        if self.head == 0:
            return "there is no row at all"
        held = [row.seq for row in self.rows]
        wanted = list(range(self.floor + 1, self.head + 1))
        if held == wanted:
            return ""
        missing = sorted(set(wanted) - set(held))
        if missing:
            return f"{len(missing)} of the rows {wanted[0]} to {self.head} are missing, the first is {missing[0]}"
        return f"there are rows that nothing explains: {sorted(set(held) - set(wanted))[:5]}"

    def until(self, seq: int) -> Loaded:
        """What a load would have found when `seq` was the head; `seq` must not lie below `floor`."""
        if not self.floor <= seq <= self.head:
            raise ValueError(f"row {seq} is not between {self.floor} and {self.head}")
        tail = [Row(row.seq, row.body) for row in self.rows if row.seq <= seq]
        return Loaded(self.epoch, seq, self.state.data if self.state is not None else None, tail, self.clients)


async def kept(connection: Connection, project_id: UUID) -> Kept:
    """Everything that is kept of this document: of one moment if the transaction has one snapshot. Raises NotFound."""
    record = await connection.fetchrow(DOCUMENT, project_id)
    if record is None:
        raise NotFound(project_id)
    state = None
    if record["state"] is not None:
        state = KeptState(*(record[name] for name in ("state_epoch", "state_seq", "state", "sha256", "state_at")))
    return Kept(
        project_id=project_id,
        name=record["name"],
        owner_id=record["owner_id"],
        deleted_at=record["deleted_at"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
        epoch=record["epoch"],
        head=record["head"],
        quarantined_at=record["quarantined_at"],
        quarantine_reason=record["quarantine_reason"] or "",
        state=state,
        rows=[KeptRow(*row) for row in await connection.fetch(ROWS, project_id)],
        clients={row["client_id"]: row["user_id"] for row in await connection.fetch(CLIENTS, project_id)},
    )


async def seq_at(connection: Connection, project_id: UUID, moment: datetime) -> int | None:
    """The last row that was written by `moment`, by the history; None before the first."""
    seq: int | None = await connection.fetchval(SEQ_AT, project_id, moment)
    return seq
