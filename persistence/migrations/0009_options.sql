-- What a project decides for itself (studio/roles.py, Options): who may restore, command the transport, export and listen.
alter table projects
    add column editors_restore      boolean not null default true,
    add column commenters_transport boolean not null default false,
    add column readers_export       boolean not null default false,
    add column viewers_listen       boolean not null default true;

-- Servers before this file keep `viewers_listen` with the voice room. Either column follows the other, so that it does
-- not matter which of them the owner asked.
create function follow_voice_room() returns trigger language plpgsql as $$
begin
    update projects set viewers_listen = new.viewers_listen
     where id = new.project_id and viewers_listen <> new.viewers_listen;
    return null;
end
$$;

create trigger voice_rooms_opened after insert on voice_rooms
    for each row when (not new.viewers_listen) execute function follow_voice_room();
create trigger voice_rooms_changed after update of viewers_listen on voice_rooms
    for each row when (old.viewers_listen <> new.viewers_listen) execute function follow_voice_room();

update projects p set viewers_listen = false from voice_rooms r where r.project_id = p.id and not r.viewers_listen;

-- Viewers who may no longer listen leave the voice room: in the same transaction, so it cannot be forgotten.
create function silence_viewers() returns trigger language plpgsql as $$
begin
    insert into voice_rooms (project_id, viewers_listen) values (new.id, new.viewers_listen)
    on conflict (project_id) do update set viewers_listen = excluded.viewers_listen
     where voice_rooms.viewers_listen <> excluded.viewers_listen;
    if not new.viewers_listen then
        insert into voice_orders (kind, project_id, user_id)
        select distinct 'remove', s.project_id, s.user_id
          from voice_sessions s
          join project_members m on m.project_id = s.project_id and m.user_id = s.user_id and m.role = 'viewer'
         where s.project_id = new.id and s.left_at is null;
    end if;
    return null;
end
$$;

create trigger projects_silence_viewers after update of viewers_listen on projects
    for each row when (old.viewers_listen <> new.viewers_listen) execute function silence_viewers();

-- Whoever keeps options in memory hears of every change, as of every change of a membership.
create function announce_options() returns trigger language plpgsql as $$
begin
    perform pg_notify('backline_members', old.id::text);
    return null;
end
$$;

create trigger projects_announce
    after update of editors_restore, commenters_transport, readers_export, viewers_listen on projects
    for each row when (
        (old.editors_restore, old.commenters_transport, old.readers_export, old.viewers_listen)
        is distinct from
        (new.editors_restore, new.commenters_transport, new.readers_export, new.viewers_listen)
    ) execute function announce_options();
