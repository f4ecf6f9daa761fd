-- Time travel: what compaction takes out of the journal goes on to the history instead of being deleted.

-- Consecutive rows of the journal, packed (persistence/history.py): whoever looks back reads many of them, and one after the
-- other they take a fraction of the room that rows of a table do. Nothing is ever changed here, only pruned.
-- Its reference is the project: one to the document would take that row's lock, for which commits would have to wait.
create table document_history (
    project_id  uuid not null references projects (id) on delete cascade,
    first       bigint not null check (first > 0),
    last        bigint not null,
    rows        bytea not null,
    began_at    timestamptz not null,
    ended_at    timestamptz not null,
    primary key (project_id, last),
    constraint document_history_order check (last >= first)
);
create index document_history_ended_at on document_history (ended_at);

-- Compacted states that were replaced, one whenever the rows since the last weigh as much as it does: from there on an old
-- moment is rebuilt, since the live document no longer knows what was deleted.
create table document_checkpoints (
    project_id  uuid not null references projects (id) on delete cascade,
    seq         bigint not null check (seq > 0),
    state       bytea not null,
    sha256      bytea not null check (octet_length(sha256) = 32),
    made_at     timestamptz not null,
    primary key (project_id, seq)
);
create index document_checkpoints_made_at on document_checkpoints (made_at);

-- When a document's trash has to be looked through next.
create table document_trash (
    project_id  uuid primary key references projects (id) on delete cascade,
    looked_at   timestamptz not null,
    due_at      timestamptz not null
);
create index document_trash_due_at on document_trash (due_at);
create index projects_deleted_at on projects (deleted_at) where deleted_at is not null;

alter table document_history enable row level security;
alter table document_checkpoints enable row level security;
alter table document_trash enable row level security;
