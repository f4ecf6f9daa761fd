-- A row of the history by its number, and stretches of rows: without it both read everything a project ever did.
-- Written while nobody can commit: about a second for every 500,000 rows of the table.
create index document_changes_seq on document_changes (project_id, seq);
