-- AlterTable
ALTER TABLE "participant" ADD COLUMN     "marketing_changed_at" TIMESTAMPTZ(3);
