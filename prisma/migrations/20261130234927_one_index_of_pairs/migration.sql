-- One index for a customer's conversations and for the pair that is unique: each new message writes an entry into every
-- index of its conversation.
CREATE UNIQUE INDEX "conversation_participant_id_business_number_id_key" ON "conversation"("participant_id", "business_number_id");
DROP INDEX "conversation_business_number_id_participant_id_key";
DROP INDEX "conversation_participant_id_idx";
