"""The journal's statements. Each is one round trip and one transaction."""

# Rooms are locked in the order of their ids, whoever else appends at the same moment: no deadlock.
# `claimed` asks the table itself for a client id's owner, because this statement's snapshot is older than the lock:
# the no-op update returns the row as it stands now. A claim stands even if its batch is refused.
# `passed` is materialized because `grown` may meet a row newer than the snapshot: PostgreSQL then joins it again with
# the row of `passed` it already has, and must not run the claims a second time.
APPEND = """
with wanted as (
    select * from unnest($1::uuid[], $2::int[], $3::bytea[], $4::int[]) as w (project_id, epoch, body, edits)
), locked as (
    select d.project_id, d.epoch, d.quarantined_at
      from documents d join projects p on p.id = d.project_id and p.deleted_at is null
     where d.project_id = any ($1)
     order by d.project_id
       for update of d
), sound as (
    select w.project_id
      from wanted w join locked l on l.project_id = w.project_id and l.epoch = w.epoch and l.quarantined_at is null
), claims as (
    select c.project_id, c.client_id, c.user_id
      from unnest($10::uuid[], $11::bigint[], $12::uuid[]) as c (project_id, client_id, user_id)
      join sound s on s.project_id = c.project_id
), claimed as (
    insert into document_clients as own (project_id, client_id, user_id)
    select distinct on (project_id, client_id) project_id, client_id, user_id
      from claims
     order by project_id, client_id, user_id
        on conflict (project_id, client_id) do update set user_id = own.user_id where own.user_id <> excluded.user_id
    returning project_id, client_id, user_id
), taken as (
    select distinct c.project_id
      from claims c join claimed k on k.project_id = c.project_id and k.client_id = c.client_id
     where k.user_id <> c.user_id
), passed as materialized (
    select s.project_id from sound s where s.project_id not in (select project_id from taken)
), grown as (
    update documents d
       set head = d.head + 1, updated_at = now()
      from passed
     where d.project_id = passed.project_id
    returning d.project_id, d.head
), kept as (
    insert into document_updates (project_id, seq, body, edits)
    select g.project_id, g.head, w.body, w.edits from grown g join wanted w on w.project_id = g.project_id
), told as (
    insert into document_changes (project_id, seq, author_id, origin, edits, paths)
    select g.project_id, g.head, c.author_id, c.origin, c.edits, string_to_array(c.paths, E'\\x1f')
      from unnest($5::uuid[], $6::uuid[], $7::text[], $8::int[], $9::text[]) with ordinality
           as c (project_id, author_id, origin, edits, paths, n)
      join grown g on g.project_id = c.project_id
     order by c.n
)
select w.project_id, g.head,
       case when g.head is not null then null
            when l.project_id is null then 'missing'
            when l.quarantined_at is not null then 'quarantined'
            when l.epoch <> w.epoch then 'epoch'
            else 'client_taken'
       end
  from wanted w
  left join locked l on l.project_id = w.project_id
  left join grown g on g.project_id = w.project_id
"""

LOAD = """
select d.epoch, d.head, d.quarantined_at, d.quarantine_reason,
       s.epoch as state_epoch, s.seq as state_seq, s.state, s.sha256,
       t.seqs, t.bodies, c.client_ids, c.client_users, coalesce(v.seq, 0) as projected
  from documents d
  join projects p on p.id = d.project_id and p.deleted_at is null
  left join document_states s on s.project_id = d.project_id
  left join studio_projections v on v.project_id = d.project_id and v.epoch = d.epoch
 cross join lateral (
       select coalesce(array_agg(u.seq order by u.seq), '{}') as seqs,
              coalesce(array_agg(u.body order by u.seq), '{}') as bodies
         from document_updates u where u.project_id = d.project_id
       ) t
 cross join lateral (
       select coalesce(array_agg(o.client_id), '{}') as client_ids, coalesce(array_agg(o.user_id), '{}') as client_users
         from document_clients o where o.project_id = d.project_id
       ) c
 where d.project_id = $1
"""

TAIL = """
select d.head,
       coalesce(array_agg(u.seq order by u.seq) filter (where u.seq is not null), '{}') as seqs,
       coalesce(array_agg(u.body order by u.seq) filter (where u.seq is not null), '{}') as bodies
  from documents d
  join projects p on p.id = d.project_id and p.deleted_at is null
  left join document_updates u on u.project_id = d.project_id and u.seq > $2
 where d.project_id = $1
 group by d.head
"""

MOVED = """
select asked.project_id, d.epoch, d.head, d.quarantined_at is not null as set_aside
  from unnest($1::text::uuid[], $2::text::integer[], $3::text::bigint[]) as asked (project_id, epoch, head)
  left join (documents d join projects p on p.id = d.project_id and p.deleted_at is null)
    on d.project_id = asked.project_id
 where d.project_id is null or d.quarantined_at is not null or d.epoch <> asked.epoch or d.head > asked.head
"""

CLIENTS = "select client_id, user_id from document_clients where project_id = $1"

LEASE = """
update document_clients c set free = false
 where c.project_id = $1
   and c.client_id = (select f.client_id from document_clients f where f.project_id = $1 and f.free
                       order by f.client_id limit 1 for update skip locked)
returning c.client_id
"""

FREE = "update document_clients set free = true where project_id = $1 and client_id = $2"

# No lock on the document: a commit never waits for a state of megabytes to be written. The order of states decides.
# The covered rows go on to the history, packed as persistence/history.py reads them, at most about 4 MiB each.
# The state that is replaced (this statement still sees it) becomes a checkpoint when it is worth one: when nothing in
# the history leads up to it, when the rows since the last one weigh as much as it does, or after a month.
COMPACT = """
with stored as (
    insert into document_states as s (project_id, epoch, seq, state, sha256)
    select d.project_id, $2, $3, $4, $5
      from documents d
     where d.project_id = $1 and d.epoch = $2 and d.head >= $3 and d.quarantined_at is null
        on conflict (project_id) do update
       set epoch = excluded.epoch, seq = excluded.seq, state = excluded.state,
           sha256 = excluded.sha256, created_at = now()
     where (s.epoch, s.seq) < (excluded.epoch, excluded.seq)
    returning project_id, seq
), covered as (
    delete from document_updates u using stored where u.project_id = stored.project_id and u.seq <= stored.seq
    returning u.project_id, u.seq, u.body, u.created_at
), placed as (
    select c.*, sum(octet_length(c.body)) over (order by c.seq) / 4194304 as pack from covered c
), packed as (
    insert into document_history (project_id, first, last, rows, began_at, ended_at)
    select p.project_id, min(p.seq), max(p.seq),
           string_agg(int4send(octet_length(p.body)) || p.body, ''::bytea order by p.seq),
           min(p.created_at), max(p.created_at)
      from placed p
     group by p.project_id, p.pack
)
insert into document_checkpoints (project_id, seq, state, sha256, made_at)
select s.project_id, s.seq, s.state, s.sha256, s.created_at
  from stored
  join document_states s on s.project_id = stored.project_id and s.seq < stored.seq
 cross join lateral (
       select coalesce(max(c.seq), 0) as seq, max(c.made_at) as made_at
         from document_checkpoints c where c.project_id = s.project_id
       ) last
 cross join lateral (
       select coalesce(sum(octet_length(h.rows)), 0) as bytes, min(h.began_at) as began_at
         from document_history h where h.project_id = s.project_id and h.last > last.seq
       ) since
 where s.seq > last.seq
   and (   since.began_at is null
        or since.bytes >= greatest(octet_length(s.state), 65536)
        or coalesce(last.made_at, since.began_at) < s.created_at - interval '30 days')
    on conflict do nothing
"""

QUARANTINE = """
update documents set quarantined_at = now(), quarantine_reason = $2
 where project_id = $1 and quarantined_at is null
"""

CREATE = """
with made as (
    insert into documents (project_id, head) values ($1, 1) returning project_id
), kept as (
    insert into document_updates (project_id, seq, body, edits) select project_id, 1, $2, 1 from made
)
insert into document_changes (project_id, seq, author_id, origin, edits, paths)
select project_id, 1, $3, $4, 1, '{}' from made
"""

LOCK = """
select d.project_id from documents d join projects p on p.id = d.project_id and p.deleted_at is null
 where d.project_id = $1
   for update of d
"""
