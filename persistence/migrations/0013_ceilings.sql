-- What the owner last decided about somebody in a project, and when. Links that are older than that let nobody have more.

-- `role` null: removed. `restriction` as in project_members. It outlives the membership: whoever leaves and comes back by
-- an old link is what they were.
create table project_ceilings (
    project_id   uuid not null references projects (id) on delete cascade,
    user_id      uuid not null references users (id) on delete cascade,
    role         text check (role in ('editor', 'commenter', 'viewer')),
    restriction  jsonb,
    decided_at   timestamptz not null,
    primary key (project_id, user_id)
);
create index project_ceilings_user_id on project_ceilings (user_id);

-- Memberships that were changed before this file: nobody knows any more by whom. Restrictions are the owner's.
insert into project_ceilings (project_id, user_id, role, restriction, decided_at)
select project_id, user_id, role, restriction, updated_at
  from project_members
 where role <> 'owner' and (restriction is not null or updated_at > joined_at);

alter table project_ceilings enable row level security;

-- Drafts of another lineage are counted as those of demoted editors are.
create index studio_snapshots_lineage on studio_snapshots (project_id, author_id) where reason = 'lineage';
