-- AlterTable
ALTER TABLE "account_event" ADD COLUMN     "topic" TEXT;

-- CreateIndex
CREATE INDEX "account_event_topic_at_idx" ON "account_event"("topic", "at");
