-- CreateTable
CREATE TABLE "participant_export" (
    "id" UUID NOT NULL,
    "participant_id" UUID NOT NULL,
    "storage_key" TEXT NOT NULL,
    "byte_size" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "participant_export_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "participant_export_participant_id_idx" ON "participant_export"("participant_id");

-- CreateIndex
CREATE INDEX "participant_export_expires_at_idx" ON "participant_export"("expires_at");
