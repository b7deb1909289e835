ALTER TABLE "event" ADD COLUMN "trace_parent" TEXT;
ALTER TABLE "message" ADD COLUMN "trace_parent" TEXT;

-- As before, and with the trace that an event belongs to.
CREATE OR REPLACE FUNCTION append_events(items jsonb, OUT last_seq bigint, OUT epoch text, OUT recorded_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  n integer := jsonb_array_length(items);
BEGIN
  UPDATE stream_head h SET seq = h.seq + n WHERE h.id = 1 RETURNING h.seq, h.epoch INTO last_seq, append_events.epoch;
  recorded_at := date_trunc('milliseconds', clock_timestamp());
  INSERT INTO event (seq, epoch, type, conversation_id, business_number_id, message_id, request_id, template_id,
                     operator_id, data, occurred_at, recorded_at, trace_parent)
  SELECT last_seq - n + item.position, append_events.epoch, item.type, item.conversation_id, item.business_number_id,
         item.message_id, item.request_id, item.template_id, item.operator_id, item.data, item.occurred_at,
         append_events.recorded_at, item.trace_parent
  FROM ROWS FROM (jsonb_to_recordset(items) AS (
    type text, conversation_id uuid, business_number_id uuid, message_id uuid, request_id uuid, template_id uuid,
    operator_id uuid, data jsonb, occurred_at timestamptz, trace_parent text)) WITH ORDINALITY
    AS item (type, conversation_id, business_number_id, message_id, request_id, template_id, operator_id, data,
             occurred_at, trace_parent, position);
END $$;
