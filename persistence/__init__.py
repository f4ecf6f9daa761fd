"""What we keep: the journal, snapshots, sessions and projections in PostgreSQL."""
