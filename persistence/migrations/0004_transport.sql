-- The shared transport has one writer per project: the node that holds the lease. Whoever takes the lease raises the
-- token, and no write with an older token lands. Leases expire by this database's clock, the only one all nodes share.

create table project_transports (
    project_id uuid primary key references projects (id) on delete cascade,
    epoch      text not null default '',
    seq        bigint not null default 0,
    state      jsonb not null default '{}',
    tempo      jsonb not null default '{}',
    position   double precision not null default 0 check (position >= 0),
    holder     uuid,
    token      bigint not null default 0,
    expires_at timestamptz not null default '-infinity',
    updated_at timestamptz not null default now()
);
comment on column project_transports.state is 'as the clients were told it';
comment on column project_transports.position is 'ticks: where it stands or, while it plays, stood a second ago';
alter table project_transports enable row level security;

-- How a node whose bus is away reaches the writer of another node.
create table transport_commands (
    id         bigint generated always as identity primary key,
    project_id uuid not null references projects (id) on delete cascade,
    node_id    uuid not null,
    command    jsonb not null,
    answer     jsonb,
    sent_at    timestamptz not null default clock_timestamp()
);
create index transport_commands_project_id on transport_commands (project_id, id);
create index transport_commands_node_id on transport_commands (node_id, id);
alter table transport_commands enable row level security;
