-- A connection whose node died did not leave: what was told there and not committed may be lost.
-- Older servers know nothing of the column: what they sweep reads like an ordinary leave.
alter table collaboration_participants add column lost boolean not null default false;
