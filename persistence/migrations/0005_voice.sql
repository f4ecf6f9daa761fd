-- Voice: who the provider says is in a project's room, and what the provider still has to be told.

-- A project's room. `opened_at` is null until somebody first asked to speak; the provider then knows of it, or may.
create table voice_rooms (
    project_id      uuid primary key references projects (id) on delete cascade,
    viewers_listen  boolean not null default true,
    provider        text check (char_length(provider) <= 40),
    opened_at       timestamptz,
    looked_at       timestamptz,
    finished_at     timestamptz
);

-- One connection to a room. A session may be heard to end before it is heard to begin.
create table voice_sessions (
    provider    text not null,
    session_id  text not null check (char_length(session_id) between 1 and 200),
    project_id  uuid not null references projects (id) on delete cascade,
    user_id     uuid not null,
    joined_at   timestamptz not null,
    left_at     timestamptz,
    primary key (provider, session_id)
);
create index voice_sessions_open on voice_sessions (project_id) where left_at is null;
create index voice_sessions_project on voice_sessions (project_id, left_at);

-- What the owner decided about somebody's voice: both hold for tokens that were made before.
create table voice_members (
    project_id     uuid not null references projects (id) on delete cascade,
    user_id        uuid not null references users (id) on delete cascade,
    muted          boolean not null default false,
    removed_until  timestamptz,
    primary key (project_id, user_id)
);
create index voice_members_user_id on voice_members (user_id);

-- Webhooks that were acted on: each is, once.
create table voice_events (
    provider  text not null,
    event_id  text not null check (char_length(event_id) between 1 and 200),
    heard_at  timestamptz not null default now(),
    primary key (provider, event_id)
);
create index voice_events_heard_at on voice_events (heard_at);

-- What the provider has to be told, until it has been: `end` the room, `remove` somebody, set somebody's `grants`.
-- No foreign keys: what is deleted still has to be told.
create table voice_orders (
    id          bigint generated always as identity primary key,
    kind        text not null check (kind in ('end', 'remove', 'grants')),
    project_id  uuid not null,
    user_id     uuid,
    created_at  timestamptz not null default now(),
    due_at      timestamptz not null default now(),
    constraint voice_orders_whom check ((kind = 'end') = (user_id is null))
);
create index voice_orders_due_at on voice_orders (due_at);

-- However a membership ends or changes, its voice goes with it: in the same transaction, so it cannot be forgotten.
create function silence_membership() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.role = old.role then
        return null;
    end if;
    insert into voice_orders (kind, project_id, user_id)
    select 'remove', old.project_id, old.user_id
     where exists (select from voice_rooms where project_id = old.project_id and opened_at is not null);
    return null;
end
$$;

create trigger project_members_silence after update of role or delete on project_members
    for each row execute function silence_membership();

create function silence_project() returns trigger language plpgsql as $$
begin
    insert into voice_orders (kind, project_id)
    select 'end', old.id
     where exists (select from voice_rooms where project_id = old.id and opened_at is not null);
    return null;
end
$$;

create trigger projects_silence after update of deleted_at on projects
    for each row when (old.deleted_at is null and new.deleted_at is not null) execute function silence_project();

alter table voice_rooms enable row level security;
alter table voice_sessions enable row level security;
alter table voice_members enable row level security;
alter table voice_events enable row level security;
alter table voice_orders enable row level security;
