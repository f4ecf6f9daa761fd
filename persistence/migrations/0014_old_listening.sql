-- Since 0009 every server asks `projects.viewers_listen`. `voice_rooms.viewers_listen` follows it, and is followed, only
-- for servers from before that, which run beside newer ones while those take over. The first migration of 0.2.0 drops
-- the column, `follow_voice_room` with its two triggers, and the statement of `silence_viewers` that writes the column.
comment on column voice_rooms.viewers_listen is
    'For servers from before migration 0009; projects.viewers_listen is what holds. Goes with release 0.2.0.';
