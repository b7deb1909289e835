-- AlterTable
ALTER TABLE "attachment" ADD COLUMN     "fetch_due_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "channel_problem" ADD COLUMN     "expires_at" TIMESTAMPTZ(3);

-- What nobody fetches any more is found by the time at which somebody should have.
DROP INDEX attachment_to_fetch;
CREATE INDEX attachment_to_fetch ON attachment (fetch_due_at) WHERE state = 'FETCHING';
