-- A search looks into these three at once. What is pending is looked through by every search and merged by one unlucky
-- writer, so it stays small.
CREATE INDEX conversation_search ON conversation
  USING gin (participant_search gin_trgm_ops, last_message_search gin_trgm_ops, request_codes gin_trgm_ops)
  WITH (gin_pending_list_limit = 256);
CREATE INDEX message_search ON message USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);

-- A keyset over a value that may be missing.
CREATE INDEX conversation_awaiting_since ON conversation (COALESCE(beacon_since, 'infinity'), id);
CREATE INDEX conversation_window_expires_at ON conversation (COALESCE(window_expires_at, 'infinity'), id);

-- The summary reads these two and nothing else.
DROP INDEX conversation_waiting;
CREATE INDEX conversation_waiting ON conversation (beacon_since, id) INCLUDE (last_replied_by_id, business_number_id)
  WHERE beacon_on AND merged_into_id IS NULL;
DROP INDEX conversation_unread_some;
CREATE INDEX conversation_unread_some ON conversation (id) INCLUDE (business_number_id)
  WHERE unread_count > 0 AND merged_into_id IS NULL;
CREATE INDEX message_waived ON message (waived_by_id, waived_at) WHERE waived_at IS NOT NULL;

-- Rows written before used a blank between the name and the number.
UPDATE conversation SET participant_search = regexp_replace(participant_search, ' ?(\d*)$', E'\n\\1')
WHERE position(E'\n' IN participant_search) = 0;
