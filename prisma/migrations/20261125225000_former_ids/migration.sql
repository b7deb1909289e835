-- CreateTable
CREATE TABLE "former_id" (
    "id" TEXT NOT NULL,
    "participant_id" UUID NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "former_id_pkey" PRIMARY KEY ("id","participant_id")
);

-- CreateIndex
CREATE INDEX "former_id_participant_id_idx" ON "former_id"("participant_id");

-- AddForeignKey
ALTER TABLE "former_id" ADD CONSTRAINT "former_id_participant_id_fkey" FOREIGN KEY ("participant_id") REFERENCES "participant"("id") ON DELETE CASCADE ON UPDATE CASCADE;
