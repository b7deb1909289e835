-- The log is in the order of time anyway.
DROP INDEX "event_recorded_at_idx";

-- It is emptied between the transactions that fill it; only where that cannot keep up does one of them have to.
ALTER INDEX message_search SET (gin_pending_list_limit = 1024);
