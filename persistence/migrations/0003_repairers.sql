-- The server repairs under a client id of its own, a fresh one for every room that is loaded: a repair lost in a crash
-- must never come back with other content under the same clock. An id whose room was closed with everything committed
-- is free for the next room, so that a document's state vector does not grow with every day it is worked on.
alter table document_clients add column free boolean not null default false;
create index document_clients_free on document_clients (project_id) where free;
