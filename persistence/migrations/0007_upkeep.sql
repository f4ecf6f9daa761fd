-- Tables whose rows are updated or deleted all the time stay small, and the year of a busy project does not slow its open.

-- A heartbeat writes `seen_at` and `edits` of every open connection. No index may hold either, and each page needs room
-- for all its rows once more: then nothing but the page is written. For 20,000 connections that is 1.8 MiB of WAL and
-- 0.09 s of PostgreSQL's CPU a heartbeat instead of 11 MiB and 0.4 s (`python -m bench.scale --only year`).
drop index collaboration_participants_open;
create index collaboration_participants_open on collaboration_participants (session_id) where left_at is null;
alter table collaboration_participants set (
    fillfactor = 45,
    autovacuum_vacuum_scale_factor = 0.05
);

-- Compaction deletes what commits insert: a share of the whole table would let one busy project gather the dead rows of
-- weeks, and its open would read over them.
alter table document_updates set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.05
);

-- Every compaction replaces a state: megabytes out of line, few rows.
alter table document_states set (
    autovacuum_vacuum_scale_factor = 0.02,
    toast.autovacuum_vacuum_scale_factor = 0.02
);
