-- CreateEnum
CREATE TYPE "LoginState" AS ENUM ('ONLINE', 'IDLE', 'LOGGED_OUT');

-- AlterTable
ALTER TABLE "operator" ADD COLUMN     "announced_state" "LoginState" NOT NULL DEFAULT 'LOGGED_OUT',
ADD COLUMN     "claims_issued_at" TIMESTAMPTZ(3);
