-- Restricted editors, plans, drafts of people who were demoted, and locks in the history.

-- What an editor may touch: null (everything), {"only": "mix"}, {"only": "markers"} or {"only": "tracks", "tracks": [...]}.
alter table project_members add column restriction jsonb
    constraint project_members_restriction check (
        restriction is null
        or jsonb_typeof(restriction) = 'object' and restriction ->> 'only' in ('mix', 'markers', 'tracks')
    );

-- How many people may play at once in the projects that somebody owns: null leaves it to the operator's default.
alter table users add column plan text constraint users_plan check (plan in ('solo', 'band', 'studio'));

drop trigger project_members_announce on project_members;
create trigger project_members_announce after update of role, restriction, credited or delete on project_members
    for each row execute function announce_membership();

alter table document_changes drop constraint document_changes_origin_check;
alter table document_changes add constraint document_changes_origin_check
    check (origin ~ '^(edit|repair|restore|seed|fork|comment|rename|lock|ai:.{1,80})$') not valid;
alter table document_changes validate constraint document_changes_origin_check;

alter table studio_snapshots drop constraint studio_snapshots_reason_check;
alter table studio_snapshots add constraint studio_snapshots_reason_check
    check (reason in ('named', 'interval', 'last_leave', 'before_restore', 'before_merge', 'lineage', 'demoted'))
    not valid;
alter table studio_snapshots validate constraint studio_snapshots_reason_check;
create index studio_snapshots_demoted on studio_snapshots (project_id, author_id) where reason = 'demoted';
