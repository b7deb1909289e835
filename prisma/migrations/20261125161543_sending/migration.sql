-- CreateEnum
CREATE TYPE "TemplateKind" AS ENUM ('BASIC', 'CUSTOMIZED');

-- AlterTable
ALTER TABLE "conversation" ADD COLUMN     "receipt_sequence" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "message" ADD COLUMN     "retries" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "template" ADD COLUMN     "kind" "TemplateKind" NOT NULL DEFAULT 'BASIC';

-- Orders templates by recent use with all keys ascending, never used last.
CREATE FUNCTION template_use_rank(used_at timestamptz) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN coalesce(-date_part('epoch', used_at), 0);
CREATE INDEX template_by_use ON template (template_use_rank(last_used_at), name, language, id);
