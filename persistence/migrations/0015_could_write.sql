-- Whether somebody ever could write in a project: what they did offline before they were demoted is kept as a draft,
-- even if nothing of theirs had been sent before.

-- Nobody knows that of today's members, so it is taken to be true: the drafts of one person are few in any case. As a
-- default it rewrites no row and rings no doorbell.
alter table project_members add column could_write boolean not null default true;
alter table project_members alter column could_write set default false;

-- Servers from before this file know nothing of the column. Whoever comes back after they were removed may have been
-- away since they could write.
create function note_writer() returns trigger language plpgsql as $$
begin
    new.could_write := new.could_write
        or new.role in ('owner', 'editor')
        or (tg_op = 'INSERT' and exists (
            select from document_clients c where c.project_id = new.project_id and c.user_id = new.user_id));
    return new;
end
$$;

create trigger project_members_note_writer before insert or update of role on project_members
    for each row execute function note_writer();
