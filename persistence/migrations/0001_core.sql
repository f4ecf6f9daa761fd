-- Accounts, projects, the journal and what is projected from it.
-- Row-level security is on for every table with no policy: only the application's own role (the owner) reads or writes.

create table users (
    id          uuid primary key default gen_random_uuid(),
    kind        text not null default 'guest' check (kind in ('guest', 'member')),
    email       text check (char_length(email) between 3 and 320),
    created_at  timestamptz not null default now(),
    deleted_at  timestamptz,
    constraint users_member_has_email check (kind = 'guest' or email is not null)
);
create unique index users_email_key on users (lower(email)) where email is not null;

-- Bearer tokens and browser sessions: only the hash is kept.
create table access_tokens (
    token_sha256 bytea primary key check (octet_length(token_sha256) = 32),
    user_id      uuid not null references users (id) on delete cascade,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null,
    revoked_at   timestamptz
);
create index access_tokens_user_id on access_tokens (user_id);

create table profiles (
    id            uuid primary key references users (id) on delete cascade,
    username      text not null constraint profiles_username_form check (username ~ '^[a-z0-9_]{3,30}$'),
    display_name  text not null check (char_length(display_name) between 1 and 80),
    color         text not null check (color ~ '^#[0-9a-f]{6}$'),
    avatar_url    text check (char_length(avatar_url) <= 2000),
    bio           text check (char_length(bio) <= 2000),
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create unique index profiles_username_key on profiles (username);

create table projects (
    id                 uuid primary key default gen_random_uuid(),
    owner_id           uuid not null references users (id) on delete restrict,
    name               text not null check (char_length(name) between 1 and 120),
    parent_project_id  uuid references projects (id) on delete set null,
    parent_snapshot_id uuid,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    deleted_at         timestamptz
);
create index projects_owner_id on projects (owner_id);
create index projects_parent_project_id on projects (parent_project_id);

create table project_members (
    project_id  uuid not null references projects (id) on delete cascade,
    user_id     uuid not null references users (id) on delete cascade,
    role        text not null check (role in ('owner', 'editor', 'commenter', 'viewer')),
    credited    boolean not null default true,
    invited_by  uuid references users (id) on delete set null,
    joined_at   timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (project_id, user_id)
);
create unique index project_members_one_owner on project_members (project_id) where role = 'owner';
create index project_members_user_id on project_members (user_id, joined_at);
create index project_members_invited_by on project_members (invited_by);

create table project_invites (
    id            uuid primary key default gen_random_uuid(),
    project_id    uuid not null references projects (id) on delete cascade,
    token_sha256  bytea not null unique check (octet_length(token_sha256) = 32),
    role          text not null check (role in ('editor', 'commenter', 'viewer')),
    max_uses      integer check (max_uses between 1 and 1000),
    uses          integer not null default 0 check (uses >= 0),
    expires_at    timestamptz not null,
    created_by    uuid not null references users (id) on delete cascade,
    created_at    timestamptz not null default now(),
    revoked_at    timestamptz,
    constraint project_invites_not_exhausted check (max_uses is null or uses <= max_uses)
);
create index project_invites_project_id on project_invites (project_id, created_at desc);
create index project_invites_created_by on project_invites (created_by);

-- One CRDT document per project. `head` numbers its journal contiguously under the row's lock.
create table documents (
    project_id         uuid primary key references projects (id) on delete cascade,
    epoch              integer not null default 1 check (epoch >= 1),
    head               bigint not null default 0 check (head >= 0),
    quarantined_at     timestamptz,
    quarantine_reason  text,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now()
) with (fillfactor = 50);  -- every commit updates `head`: room on the page keeps that a heap-only update

-- The compacted state up to and including `seq`; its tail stands in document_updates.
create table document_states (
    project_id  uuid primary key references documents (project_id) on delete cascade,
    epoch       integer not null,
    seq         bigint not null check (seq >= 0),
    state       bytea not null,
    sha256      bytea not null check (octet_length(sha256) = 32),
    created_at  timestamptz not null default now()
);

-- A state is read whole and at once: compressing it would only cost time at every compaction and load.
alter table document_states alter column state set storage external;

-- One row per document and group commit: the updates of that moment, in order, each with its author.
create table document_updates (
    project_id  uuid not null references documents (project_id) on delete cascade,
    seq         bigint not null check (seq > 0),
    body        bytea not null,
    edits       integer not null check (edits > 0),
    created_at  timestamptz not null default now(),
    primary key (project_id, seq)
);

-- Who changed what, when: kept when compaction takes the updates away.
-- No foreign key to users: a commit of many documents must neither fail for one author nor lock the rows of all of them.
create table document_changes (
    project_id  uuid not null references documents (project_id) on delete cascade,
    id          bigint generated always as identity,
    seq         bigint not null,
    author_id   uuid,
    origin      text not null check (origin ~ '^(edit|repair|restore|seed|fork|comment|rename|ai:.{1,80})$'),
    edits       integer not null check (edits > 0),
    paths       text[] not null,
    created_at  timestamptz not null default now(),
    primary key (project_id, id)
);

-- The first user to write with a Yjs client id owns it, for ever: the id stays taken when the user is gone.
create table document_clients (
    project_id  uuid not null references documents (project_id) on delete cascade,
    client_id   bigint not null check (client_id >= 0),
    user_id     uuid not null,
    created_at  timestamptz not null default now(),
    primary key (project_id, client_id)
);

create table studio_snapshots (
    id          uuid primary key default gen_random_uuid(),
    project_id  uuid not null references projects (id) on delete cascade,
    kind        text not null check (kind in ('named', 'automatic', 'draft')),
    name        text not null check (char_length(name) between 1 and 120),
    reason      text not null check (reason in ('named', 'interval', 'last_leave', 'before_restore', 'before_merge', 'lineage')),
    author_id   uuid references users (id) on delete set null,
    parent_id   uuid references studio_snapshots (id) on delete set null,
    epoch       integer not null,
    seq         bigint not null,
    state       bytea not null,
    canonical   json,  -- kept verbatim: jsonb refuses U+0000, which a musician's text may hold
    sha256      bytea not null check (octet_length(sha256) = 32),
    created_at  timestamptz not null default now()
);
create unique index studio_snapshots_name on studio_snapshots (project_id, name) where kind = 'named';
create index studio_snapshots_project on studio_snapshots (project_id, created_at desc, id desc);
create index studio_snapshots_author_id on studio_snapshots (author_id);
create index studio_snapshots_parent_id on studio_snapshots (parent_id);

-- Projections of the document, kept by the server: for lists, search and joins.
-- `seq` is the journal position the rows show; an older view of the document never overwrites a newer one.
create table studio_projections (
    project_id  uuid primary key references projects (id) on delete cascade,
    epoch       integer not null,
    seq         bigint not null,
    updated_at  timestamptz not null default now()
);

create table studio_markers (
    project_id  uuid not null references projects (id) on delete cascade,
    id          text not null check (char_length(id) <= 120),
    tick        bigint not null,
    end_tick    bigint,
    label       text not null,
    color       text,
    kind        text not null,
    author_id   uuid,
    seq         bigint not null,
    updated_at  timestamptz not null default now(),
    primary key (project_id, id)
);

create table studio_notes (
    project_id  uuid not null references projects (id) on delete cascade,
    id          text not null check (char_length(id) <= 120),
    anchor      jsonb not null,
    track_id    text,
    parent_id   text,
    body        text not null,
    author_id   uuid,
    resolved_by uuid,
    at          timestamptz,
    seq         bigint not null,
    updated_at  timestamptz not null default now(),
    primary key (project_id, id)
);

-- A live session: from the first join to the last leave.
create table collaboration_sessions (
    id          uuid primary key default gen_random_uuid(),
    project_id  uuid not null references projects (id) on delete cascade,
    started_at  timestamptz not null default now(),
    ended_at    timestamptz,
    constraint collaboration_sessions_order check (ended_at is null or ended_at >= started_at)
);
create unique index collaboration_sessions_one_open on collaboration_sessions (project_id) where ended_at is null;
create index collaboration_sessions_project on collaboration_sessions (project_id, started_at desc, id desc);

create table collaboration_participants (
    connection_id uuid primary key,
    session_id    uuid not null references collaboration_sessions (id) on delete cascade,
    user_id       uuid not null references users (id) on delete cascade,
    role          text not null,
    node_id       uuid not null,
    joined_at     timestamptz not null default now(),
    seen_at       timestamptz not null default now(),
    left_at       timestamptz,
    edits         bigint not null default 0 check (edits >= 0)
);
create index collaboration_participants_session on collaboration_participants (session_id);
create index collaboration_participants_user_id on collaboration_participants (user_id);
create index collaboration_participants_open on collaboration_participants (node_id, seen_at) where left_at is null;

alter table users enable row level security;
alter table access_tokens enable row level security;
alter table profiles enable row level security;
alter table projects enable row level security;
alter table project_members enable row level security;
alter table project_invites enable row level security;
alter table documents enable row level security;
alter table document_states enable row level security;
alter table document_updates enable row level security;
alter table document_changes enable row level security;
alter table document_clients enable row level security;
alter table studio_snapshots enable row level security;
alter table studio_projections enable row level security;
alter table studio_markers enable row level security;
alter table studio_notes enable row level security;
alter table collaboration_sessions enable row level security;
alter table collaboration_participants enable row level security;
