-- AlterTable
ALTER TABLE "company" ADD COLUMN "external_id" TEXT;

-- AlterTable
ALTER TABLE "contact" ADD COLUMN "external_id" TEXT;

-- AlterTable
ALTER TABLE "discussion_post" ADD COLUMN "external_id" TEXT;

-- AlterTable
ALTER TABLE "request" ADD COLUMN "external_id" TEXT,
ADD COLUMN "mirrored_revision" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "revision" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "request_template" ADD COLUMN "external_id" TEXT;

-- AlterTable
ALTER TABLE "tag" ADD COLUMN "external_id" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "company_external_id_key" ON "company"("external_id");

-- CreateIndex
CREATE UNIQUE INDEX "contact_external_id_key" ON "contact"("external_id");

-- CreateIndex
CREATE UNIQUE INDEX "discussion_post_external_id_key" ON "discussion_post"("external_id");

-- CreateIndex
CREATE UNIQUE INDEX "request_external_id_key" ON "request"("external_id");

-- CreateIndex
CREATE UNIQUE INDEX "request_template_external_id_key" ON "request_template"("external_id");

-- CreateIndex
CREATE UNIQUE INDEX "tag_external_id_key" ON "tag"("external_id");

-- Searches look for parts of words.
CREATE INDEX company_search ON company USING gin (search_text gin_trgm_ops);
CREATE INDEX contact_search ON contact USING gin (search_text gin_trgm_ops);
CREATE INDEX request_search ON request USING gin (search_text gin_trgm_ops);
-- Requests that CDESK does not have yet.
CREATE INDEX request_to_mirror ON request (id) WHERE mirrored_revision < revision;
