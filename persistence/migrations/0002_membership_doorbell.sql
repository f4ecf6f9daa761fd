-- Whoever keeps roles in memory hears of every change of a membership, however it was made.

create function announce_membership() returns trigger language plpgsql as $$
begin
    perform pg_notify('backline_members', old.project_id::text);
    return null;
end
$$;

create trigger project_members_announce after update of role or delete on project_members
    for each row execute function announce_membership();
