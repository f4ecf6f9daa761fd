"""What an operator is told when a command cannot be carried out.

OperatorError         one sentence for stderr; the exit code is 2
├── NodeUnreachable   a node does not answer, or not with what was asked for
└── NotKept           that moment of a document can no longer be rebuilt
"""

from uuid import UUID


class OperatorError(Exception):
    """A command was not carried out; the text is one sentence."""


class NodeUnreachable(OperatorError):
    """The node at `url` gave no answer that can be used; `status` is its HTTP status, 0 without one."""

    def __init__(self, url: str, reason: str, status: int = 0) -> None:
        self.url = url
        self.reason = reason
        self.status = status
        super().__init__(f"the node at {url} {reason}")


class NotKept(OperatorError):
    """Row `seq` of the journal went into a later state, and no snapshot shows that very row."""

    def __init__(self, project_id: UUID, seq: int, reason: str) -> None:
        self.project_id = project_id
        self.seq = seq
        super().__init__(f"row {seq} of project {project_id} is no longer kept by itself: {reason}")
