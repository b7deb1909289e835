-- A conversation's row moves with every message, and each of its indexes is written anew: a trigram index took more time
-- than all the rest. Texts are found through the customers and the messages, which do not move.
ALTER TABLE participant ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
UPDATE participant p SET search_text = coalesce(
  (SELECT c.participant_search FROM conversation c WHERE c.participant_id = p.id AND c.participant_search <> '' LIMIT 1),
  lower(coalesce(p.profile_name, '')) || E'\n' || regexp_replace(coalesce(p.phone_number, p.wa_id, ''), '\D', '', 'g'))
WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL;
CREATE INDEX participant_search ON participant USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);
UPDATE message SET search_text = lower(preview) WHERE search_text = '' AND preview <> '';
DROP INDEX conversation_search;
CREATE INDEX conversation_request_codes ON conversation USING gin (request_codes gin_trgm_ops)
  WITH (gin_pending_list_limit = 256) WHERE request_codes <> '';

-- What most rows leave empty need not be in an index.
DROP INDEX conversation_last_replied_by_id_idx;
CREATE INDEX conversation_last_replied_by ON conversation (last_replied_by_id) WHERE last_replied_by_id IS NOT NULL;
DROP INDEX message_sent_by_id_sent_at_idx;
CREATE INDEX message_sent_by ON message (sent_by_id, sent_at) WHERE sent_by_id IS NOT NULL;
-- Nothing is found by it.
DROP INDEX message_quoted_id_idx;
