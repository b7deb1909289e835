-- CreateEnum
CREATE TYPE "ConversationSource" AS ENUM ('WHATSAPP');

-- CreateEnum
CREATE TYPE "MessageDirection" AS ENUM ('INCOMING', 'OUTGOING');

-- CreateEnum
CREATE TYPE "MessageStatus" AS ENUM ('PENDING', 'SENT', 'DELIVERED', 'READ', 'FAILED');

-- CreateEnum
CREATE TYPE "MessageKind" AS ENUM ('TEXT', 'IMAGE', 'VIDEO', 'AUDIO', 'VOICE', 'DOCUMENT', 'STICKER', 'LOCATION', 'CONTACTS', 'INTERACTIVE_REPLY', 'TEMPLATE', 'SYSTEM', 'UNSUPPORTED');

-- CreateEnum
CREATE TYPE "MessageOrigin" AS ENUM ('CUSTOMER', 'OPERATOR', 'AUTOMATION', 'PHONE_APP_ECHO', 'SYSTEM');

-- CreateEnum
CREATE TYPE "SendState" AS ENUM ('QUEUED', 'SENDING', 'ACCEPTED', 'UNKNOWN', 'REFUSED');

-- CreateEnum
CREATE TYPE "BeaconReason" AS ENUM ('CUSTOMER_MESSAGE', 'OPERATOR_REPLIED', 'NO_REPLY_NEEDED', 'NO_REPLY_NEEDED_WITHDRAWN', 'REPLY_FAILED', 'TRIGGER_WITHDRAWN');

-- CreateEnum
CREATE TYPE "WindowState" AS ENUM ('NEVER_OPENED', 'OPEN', 'EXPIRING_SOON', 'CLOSED');

-- CreateEnum
CREATE TYPE "WindowOpener" AS ENUM ('CUSTOMER_MESSAGE', 'CUSTOMER_CALL');

-- CreateEnum
CREATE TYPE "ChatPermission" AS ENUM ('READ_CONVERSATIONS', 'REPLY', 'SEND_TEMPLATES', 'CREATE_REQUESTS', 'EDIT_REQUESTS', 'MANAGE_SAVED_FILTERS', 'MANAGE_SETTINGS', 'MANAGE_TOKENS', 'MANAGE_OPERATORS', 'MANAGE_PRIVACY');

-- CreateEnum
CREATE TYPE "TokenScope" AS ENUM ('READ_EVENTS', 'READ_COUNTERS', 'READ_CONVERSATIONS', 'READ_MESSAGE_BODIES', 'READ_CONTACT_DATA', 'READ_REQUESTS', 'READ_INTERNAL_NOTES', 'WRITE_MESSAGES', 'WRITE_REQUESTS');

-- CreateEnum
CREATE TYPE "TemplateCategory" AS ENUM ('AUTHENTICATION', 'MARKETING', 'UTILITY', 'UNKNOWN');

-- CreateEnum
CREATE TYPE "TemplateStatus" AS ENUM ('PENDING', 'APPROVED', 'REJECTED', 'PAUSED', 'DISABLED', 'IN_APPEAL', 'DELETED', 'UNKNOWN');

-- CreateEnum
CREATE TYPE "TemplateParameterFormat" AS ENUM ('NONE', 'NAMED', 'POSITIONAL');

-- CreateEnum
CREATE TYPE "AttachmentState" AS ENUM ('UPLOADED', 'FETCHING', 'AVAILABLE', 'FAILED', 'EXPIRED');

-- CreateEnum
CREATE TYPE "RequestVisibility" AS ENUM ('REGULAR', 'INTERNAL');

-- CreateEnum
CREATE TYPE "DiscussionKind" AS ENUM ('PUBLIC_POST', 'INTERNAL_NOTE');

-- CreateEnum
CREATE TYPE "RequestLinkRole" AS ENUM ('SOURCE', 'LINKED');

-- CreateEnum
CREATE TYPE "FilterVisibility" AS ENUM ('PRIVATE', 'SHARED');

-- CreateEnum
CREATE TYPE "SortDirection" AS ENUM ('ASC', 'DESC');

-- CreateEnum
CREATE TYPE "ConversationSearchColumn" AS ENUM ('NUMBER', 'BUSINESS_NUMBER', 'OPERATOR', 'PARTICIPANT', 'LAST_MESSAGE', 'REQUEST_CODE', 'MESSAGES');

-- CreateEnum
CREATE TYPE "ConversationSortField" AS ENUM ('NUMBER', 'LAST_MESSAGE_AT', 'CREATED_AT', 'AWAITING_SINCE', 'WINDOW_EXPIRES_AT');

-- CreateEnum
CREATE TYPE "WebhookDeliveryState" AS ENUM ('RECEIVED', 'PROCESSED', 'PARTIALLY_PROCESSED', 'FAILED', 'IGNORED', 'REJECTED');

-- CreateTable
CREATE TABLE "settings" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "enabled" BOOLEAN NOT NULL DEFAULT false,
    "whatsapp_business_account_id" TEXT,
    "access_token_sealed" TEXT,
    "access_token_hint" TEXT,
    "access_token_set_at" TIMESTAMPTZ(3),
    "webhook_token_sealed" TEXT,
    "webhook_token_hint" TEXT,
    "webhook_token_set_at" TIMESTAMPTZ(3),
    "app_secret_sealed" TEXT,
    "app_secret_hint" TEXT,
    "app_secret_set_at" TIMESTAMPTZ(3),
    "time_zone" TEXT NOT NULL DEFAULT 'Europe/Prague',
    "window_warning_minutes" INTEGER NOT NULL DEFAULT 60,
    "request_code_yearly" BOOLEAN NOT NULL DEFAULT false,
    "verification" JSONB NOT NULL DEFAULT '{}',
    "last_verified_at" TIMESTAMPTZ(3),
    "last_webhook_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "business_number" (
    "id" UUID NOT NULL,
    "slot" INTEGER,
    "phone_number_id" TEXT NOT NULL,
    "phone_number" TEXT NOT NULL,
    "display_name" TEXT,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "quality_rating" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "business_number_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel_problem" (
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "cleared_at" TIMESTAMPTZ(3),
    "business_number_id" UUID,
    "provider_code" INTEGER,
    "stops_sending" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "channel_problem_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "account_event" (
    "id" UUID NOT NULL,
    "field" TEXT NOT NULL,
    "event" TEXT,
    "summary" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "key" TEXT NOT NULL,

    CONSTRAINT "account_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operator" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "subject" TEXT NOT NULL,
    "login" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "permissions" "ChatPermission"[],
    "deactivated_at" TIMESTAMPTZ(3),
    "signed_out_at" TIMESTAMPTZ(3),
    "session_expires_at" TIMESTAMPTZ(3),
    "last_seen_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "operator_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "participant" (
    "id" UUID NOT NULL,
    "wa_id" TEXT,
    "user_id" TEXT,
    "group_id" TEXT,
    "phone_number" TEXT,
    "comparison_key" TEXT,
    "profile_name" TEXT,
    "previous_phone_numbers" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "marketing_stopped_at" TIMESTAMPTZ(3),
    "merged_into_id" UUID,
    "erased_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "participant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "company" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "search_text" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "company_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "contact" (
    "id" UUID NOT NULL,
    "name" TEXT,
    "phone_number" TEXT,
    "comparison_key" TEXT,
    "email" TEXT,
    "company_id" UUID,
    "search_text" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "contact_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "conversation" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "source" "ConversationSource" NOT NULL DEFAULT 'WHATSAPP',
    "business_number_id" UUID NOT NULL,
    "participant_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "inserted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_sequence" INTEGER NOT NULL DEFAULT 0,
    "last_message_id" UUID,
    "last_message_at" TIMESTAMPTZ(3) NOT NULL,
    "last_message_preview" TEXT,
    "last_message_direction" "MessageDirection",
    "last_message_status" "MessageStatus",
    "last_incoming_message_id" UUID,
    "last_outgoing_message_id" UUID,
    "last_incoming_at" TIMESTAMPTZ(3),
    "last_outgoing_at" TIMESTAMPTZ(3),
    "last_replied_by_id" UUID,
    "unread_count" INTEGER NOT NULL DEFAULT 0,
    "read_up_to_sequence" INTEGER NOT NULL DEFAULT 0,
    "read_up_to_id" UUID,
    "beacon_on" BOOLEAN NOT NULL DEFAULT false,
    "beacon_since" TIMESTAMPTZ(3),
    "beacon_trigger_id" UUID,
    "beacon_reason" "BeaconReason",
    "beacon_changed_at" TIMESTAMPTZ(3) NOT NULL,
    "no_reply_needed" BOOLEAN NOT NULL DEFAULT false,
    "no_reply_needed_by_id" UUID,
    "no_reply_needed_at" TIMESTAMPTZ(3),
    "window_opened_at" TIMESTAMPTZ(3),
    "window_opened_by" "WindowOpener",
    "window_expires_at" TIMESTAMPTZ(3),
    "window_announced" "WindowState" NOT NULL DEFAULT 'NEVER_OPENED',
    "request_count" INTEGER NOT NULL DEFAULT 0,
    "participant_search" TEXT NOT NULL DEFAULT '',
    "last_message_search" TEXT NOT NULL DEFAULT '',
    "request_codes" TEXT NOT NULL DEFAULT '',
    "send_paused_until" TIMESTAMPTZ(3),
    "merged_into_id" UUID,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "conversation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "message" (
    "id" UUID NOT NULL,
    "conversation_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "direction" "MessageDirection" NOT NULL,
    "origin" "MessageOrigin" NOT NULL,
    "kind" "MessageKind" NOT NULL,
    "content" JSONB NOT NULL,
    "preview" TEXT,
    "search_text" TEXT NOT NULL DEFAULT '',
    "provider_id" TEXT,
    "sent_by_id" UUID,
    "sent_by_token_id" UUID,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,
    "sent_second" TIMESTAMPTZ(0) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "status" "MessageStatus",
    "failure_code" INTEGER,
    "failure_title" TEXT,
    "failure_detail" TEXT,
    "failure_retryable" BOOLEAN,
    "outcome_unknown" BOOLEAN NOT NULL DEFAULT false,
    "quoted_provider_id" TEXT,
    "quoted_id" UUID,
    "edited_at" TIMESTAMPTZ(3),
    "edited_by" TEXT,
    "withdrawn_at" TIMESTAMPTZ(3),
    "discarded_at" TIMESTAMPTZ(3),
    "waived_at" TIMESTAMPTZ(3),
    "waived_by_id" UUID,
    "forwarded" BOOLEAN NOT NULL DEFAULT false,
    "referral" JSONB,
    "imported" BOOLEAN NOT NULL DEFAULT false,
    "placeholder" BOOLEAN NOT NULL DEFAULT false,
    "cleaned" BOOLEAN NOT NULL DEFAULT false,
    "sender_name" TEXT,
    "client_key" TEXT,
    "template_id" UUID,
    "payload" JSONB,
    "send_state" "SendState",
    "send_attempts" INTEGER NOT NULL DEFAULT 0,
    "send_not_before" TIMESTAMPTZ(3),
    "send_lease_until" TIMESTAMPTZ(3),
    "accepted_at" TIMESTAMPTZ(3),

    CONSTRAINT "message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "status_entry" (
    "id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "status" "MessageStatus" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "recipient" TEXT NOT NULL DEFAULT '',
    "failure" JSONB,

    CONSTRAINT "status_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "parked_item" (
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "target_provider_id" TEXT,
    "opaque_id" TEXT,
    "item" JSONB NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "parked_item_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "reaction" (
    "message_id" UUID NOT NULL,
    "by_customer" BOOLEAN NOT NULL,
    "emoji" TEXT,
    "operator_id" UUID,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "provider_id" TEXT,

    CONSTRAINT "reaction_pkey" PRIMARY KEY ("message_id","by_customer")
);

-- CreateTable
CREATE TABLE "attachment" (
    "id" UUID NOT NULL,
    "message_id" UUID,
    "uploaded_by_id" UUID,
    "file_name" TEXT,
    "mime_type" TEXT NOT NULL,
    "byte_size" INTEGER,
    "sha256" TEXT,
    "state" "AttachmentState" NOT NULL,
    "storage_key" TEXT,
    "provider_media_id" TEXT,
    "provider_media_expires_at" TIMESTAMPTZ(3),
    "fetch_attempts" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "attachment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "template" (
    "id" UUID NOT NULL,
    "meta_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "category" "TemplateCategory" NOT NULL,
    "status" "TemplateStatus" NOT NULL,
    "rejection_reason" TEXT,
    "parameter_format" "TemplateParameterFormat" NOT NULL,
    "components" JSONB NOT NULL,
    "quality_score" TEXT,
    "last_used_at" TIMESTAMPTZ(3),
    "last_synced_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "template_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "request_status" (
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "closed" BOOLEAN NOT NULL DEFAULT false,
    "position" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "request_status_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "request_counter" (
    "year" INTEGER NOT NULL,
    "serial" INTEGER NOT NULL,

    CONSTRAINT "request_counter_pkey" PRIMARY KEY ("year")
);

-- CreateTable
CREATE TABLE "request" (
    "id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "company_id" UUID,
    "contact_id" UUID,
    "template_id" UUID,
    "status_key" TEXT NOT NULL,
    "assignee_id" UUID,
    "visibility" "RequestVisibility" NOT NULL DEFAULT 'REGULAR',
    "custom_fields" JSONB NOT NULL DEFAULT '{}',
    "conversation_id" UUID,
    "created_by_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "search_text" TEXT NOT NULL DEFAULT '',
    "deleted_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "request_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "message_request_link" (
    "message_id" UUID NOT NULL,
    "request_id" UUID NOT NULL,
    "role" "RequestLinkRole" NOT NULL,
    "linked_by_id" UUID,
    "linked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "message_request_link_pkey" PRIMARY KEY ("message_id","request_id")
);

-- CreateTable
CREATE TABLE "request_template" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "company_id" UUID,
    "fields" JSONB NOT NULL DEFAULT '[]',
    "default_description" TEXT,
    "assignee_id" UUID,
    "status_key" TEXT,
    "active" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "request_template_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tag" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "color" TEXT,
    "search_text" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "tag_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "request_tag" (
    "request_id" UUID NOT NULL,
    "tag_id" UUID NOT NULL,

    CONSTRAINT "request_tag_pkey" PRIMARY KEY ("request_id","tag_id")
);

-- CreateTable
CREATE TABLE "request_attachment" (
    "request_id" UUID NOT NULL,
    "attachment_id" UUID NOT NULL,
    "added_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "request_attachment_pkey" PRIMARY KEY ("request_id","attachment_id")
);

-- CreateTable
CREATE TABLE "discussion_post" (
    "id" UUID NOT NULL,
    "request_id" UUID NOT NULL,
    "kind" "DiscussionKind" NOT NULL,
    "author_id" UUID,
    "author_name" TEXT,
    "body" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "edited_at" TIMESTAMPTZ(3),

    CONSTRAINT "discussion_post_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "discussion_attachment" (
    "post_id" UUID NOT NULL,
    "attachment_id" UUID NOT NULL,

    CONSTRAINT "discussion_attachment_pkey" PRIMARY KEY ("post_id","attachment_id")
);

-- CreateTable
CREATE TABLE "saved_filter" (
    "id" UUID NOT NULL,
    "owner_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "color" TEXT,
    "visibility" "FilterVisibility" NOT NULL DEFAULT 'PRIVATE',
    "filter" JSONB NOT NULL,
    "search" TEXT,
    "search_columns" "ConversationSearchColumn"[],
    "sort_field" "ConversationSortField" NOT NULL DEFAULT 'LAST_MESSAGE_AT',
    "sort_direction" "SortDirection" NOT NULL DEFAULT 'DESC',
    "position" INTEGER NOT NULL DEFAULT 0,
    "schema_version" INTEGER NOT NULL DEFAULT 1,
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "saved_filter_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "saved_filter_share" (
    "filter_id" UUID NOT NULL,
    "operator_id" UUID NOT NULL,

    CONSTRAINT "saved_filter_share_pkey" PRIMARY KEY ("filter_id","operator_id")
);

-- CreateTable
CREATE TABLE "list_preferences" (
    "operator_id" UUID NOT NULL,
    "conversation_columns" JSONB NOT NULL DEFAULT '[]',
    "operator_columns" JSONB NOT NULL DEFAULT '[]',
    "search_columns" "ConversationSearchColumn"[] DEFAULT ARRAY[]::"ConversationSearchColumn"[],
    "summary_panel_open" BOOLEAN NOT NULL DEFAULT true,
    "open_conversation_ids" UUID[] DEFAULT ARRAY[]::UUID[],

    CONSTRAINT "list_preferences_pkey" PRIMARY KEY ("operator_id")
);

-- CreateTable
CREATE TABLE "api_token" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "scopes" "TokenScope"[],
    "business_number_ids" UUID[] DEFAULT ARRAY[]::UUID[],
    "created_by_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_entry" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "operator_id" UUID,
    "api_token_id" UUID,
    "action" TEXT NOT NULL,
    "subject_id" TEXT,
    "detail" TEXT,
    "address" TEXT,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_delivery" (
    "id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "body" BYTEA NOT NULL,
    "state" "WebhookDeliveryState" NOT NULL DEFAULT 'RECEIVED',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "item_count" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "failures" JSONB,
    "processed_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "actor" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "content_hash" TEXT NOT NULL,
    "result_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("actor","key")
);

-- CreateTable
CREATE TABLE "stream_head" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "epoch" TEXT NOT NULL,
    "cluster" TEXT NOT NULL,
    "seq" BIGINT NOT NULL DEFAULT 0,
    "floor_seq" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "stream_head_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "seq" BIGINT NOT NULL,
    "epoch" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "conversation_id" UUID,
    "business_number_id" UUID,
    "message_id" UUID,
    "request_id" UUID,
    "template_id" UUID,
    "operator_id" UUID,
    "data" JSONB NOT NULL DEFAULT '{}',
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "event_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "send_budget" (
    "scope" TEXT NOT NULL,
    "tokens" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "refilled_at" TIMESTAMPTZ(3) NOT NULL,
    "paused_until" TIMESTAMPTZ(3),
    "reason" TEXT,

    CONSTRAINT "send_budget_pkey" PRIMARY KEY ("scope")
);

-- CreateIndex
CREATE UNIQUE INDEX "business_number_slot_key" ON "business_number"("slot");

-- CreateIndex
CREATE UNIQUE INDEX "business_number_phone_number_id_key" ON "business_number"("phone_number_id");

-- CreateIndex
CREATE INDEX "channel_problem_cleared_at_since_idx" ON "channel_problem"("cleared_at", "since");

-- CreateIndex
CREATE UNIQUE INDEX "account_event_key_key" ON "account_event"("key");

-- CreateIndex
CREATE UNIQUE INDEX "operator_number_key" ON "operator"("number");

-- CreateIndex
CREATE UNIQUE INDEX "operator_subject_key" ON "operator"("subject");

-- CreateIndex
CREATE INDEX "operator_deactivated_at_number_idx" ON "operator"("deactivated_at", "number");

-- CreateIndex
CREATE UNIQUE INDEX "participant_wa_id_key" ON "participant"("wa_id");

-- CreateIndex
CREATE UNIQUE INDEX "participant_user_id_key" ON "participant"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "participant_group_id_key" ON "participant"("group_id");

-- CreateIndex
CREATE UNIQUE INDEX "participant_comparison_key_key" ON "participant"("comparison_key");

-- CreateIndex
CREATE INDEX "participant_phone_number_idx" ON "participant"("phone_number");

-- CreateIndex
CREATE INDEX "company_name_id_idx" ON "company"("name", "id");

-- CreateIndex
CREATE INDEX "contact_comparison_key_idx" ON "contact"("comparison_key");

-- CreateIndex
CREATE INDEX "contact_company_id_name_id_idx" ON "contact"("company_id", "name", "id");

-- CreateIndex
CREATE UNIQUE INDEX "conversation_number_key" ON "conversation"("number");

-- CreateIndex
CREATE INDEX "conversation_last_message_at_id_idx" ON "conversation"("last_message_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_created_at_id_idx" ON "conversation"("created_at", "id");

-- CreateIndex
CREATE INDEX "conversation_last_replied_by_id_idx" ON "conversation"("last_replied_by_id");

-- CreateIndex
CREATE INDEX "conversation_participant_id_idx" ON "conversation"("participant_id");

-- CreateIndex
CREATE UNIQUE INDEX "conversation_business_number_id_participant_id_key" ON "conversation"("business_number_id", "participant_id");

-- CreateIndex
CREATE UNIQUE INDEX "message_provider_id_key" ON "message"("provider_id");

-- CreateIndex
CREATE INDEX "message_conversation_id_sent_second_sequence_idx" ON "message"("conversation_id", "sent_second" DESC, "sequence" DESC);

-- CreateIndex
CREATE INDEX "message_sent_by_id_sent_at_idx" ON "message"("sent_by_id", "sent_at");

-- CreateIndex
CREATE INDEX "message_quoted_id_idx" ON "message"("quoted_id");

-- CreateIndex
CREATE UNIQUE INDEX "message_conversation_id_sequence_key" ON "message"("conversation_id", "sequence");

-- CreateIndex
CREATE UNIQUE INDEX "status_entry_message_id_status_at_recipient_key" ON "status_entry"("message_id", "status", "at", "recipient");

-- CreateIndex
CREATE UNIQUE INDEX "parked_item_key_key" ON "parked_item"("key");

-- CreateIndex
CREATE INDEX "parked_item_target_provider_id_idx" ON "parked_item"("target_provider_id");

-- CreateIndex
CREATE INDEX "parked_item_opaque_id_idx" ON "parked_item"("opaque_id");

-- CreateIndex
CREATE INDEX "parked_item_received_at_idx" ON "parked_item"("received_at");

-- CreateIndex
CREATE INDEX "attachment_message_id_idx" ON "attachment"("message_id");

-- CreateIndex
CREATE INDEX "attachment_sha256_idx" ON "attachment"("sha256");

-- CreateIndex
CREATE UNIQUE INDEX "template_meta_id_key" ON "template"("meta_id");

-- CreateIndex
CREATE INDEX "template_name_language_idx" ON "template"("name", "language");

-- CreateIndex
CREATE INDEX "template_status_last_used_at_idx" ON "template"("status", "last_used_at");

-- CreateIndex
CREATE UNIQUE INDEX "request_code_key" ON "request"("code");

-- CreateIndex
CREATE INDEX "request_created_at_id_idx" ON "request"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "request_conversation_id_created_at_idx" ON "request"("conversation_id", "created_at" DESC);

-- CreateIndex
CREATE INDEX "request_company_id_idx" ON "request"("company_id");

-- CreateIndex
CREATE INDEX "request_contact_id_idx" ON "request"("contact_id");

-- CreateIndex
CREATE INDEX "message_request_link_request_id_idx" ON "message_request_link"("request_id");

-- CreateIndex
CREATE UNIQUE INDEX "tag_name_key" ON "tag"("name");

-- CreateIndex
CREATE INDEX "request_tag_tag_id_idx" ON "request_tag"("tag_id");

-- CreateIndex
CREATE INDEX "request_attachment_attachment_id_idx" ON "request_attachment"("attachment_id");

-- CreateIndex
CREATE INDEX "discussion_post_request_id_created_at_id_idx" ON "discussion_post"("request_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "saved_filter_owner_id_name_key_key" ON "saved_filter"("owner_id", "name_key");

-- CreateIndex
CREATE INDEX "saved_filter_share_operator_id_idx" ON "saved_filter_share"("operator_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_token_hash_key" ON "api_token"("hash");

-- CreateIndex
CREATE INDEX "audit_entry_at_id_idx" ON "audit_entry"("at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "webhook_delivery_received_at_id_idx" ON "webhook_delivery"("received_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "idempotency_key_created_at_idx" ON "idempotency_key"("created_at");

-- CreateIndex
CREATE INDEX "event_recorded_at_idx" ON "event"("recorded_at");

-- AddForeignKey
ALTER TABLE "channel_problem" ADD CONSTRAINT "channel_problem_business_number_id_fkey" FOREIGN KEY ("business_number_id") REFERENCES "business_number"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact" ADD CONSTRAINT "contact_company_id_fkey" FOREIGN KEY ("company_id") REFERENCES "company"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_business_number_id_fkey" FOREIGN KEY ("business_number_id") REFERENCES "business_number"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_participant_id_fkey" FOREIGN KEY ("participant_id") REFERENCES "participant"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_last_replied_by_id_fkey" FOREIGN KEY ("last_replied_by_id") REFERENCES "operator"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_no_reply_needed_by_id_fkey" FOREIGN KEY ("no_reply_needed_by_id") REFERENCES "operator"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message" ADD CONSTRAINT "message_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message" ADD CONSTRAINT "message_sent_by_id_fkey" FOREIGN KEY ("sent_by_id") REFERENCES "operator"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "status_entry" ADD CONSTRAINT "status_entry_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "message"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "reaction" ADD CONSTRAINT "reaction_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "message"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attachment" ADD CONSTRAINT "attachment_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "message"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request" ADD CONSTRAINT "request_company_id_fkey" FOREIGN KEY ("company_id") REFERENCES "company"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request" ADD CONSTRAINT "request_contact_id_fkey" FOREIGN KEY ("contact_id") REFERENCES "contact"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request" ADD CONSTRAINT "request_template_id_fkey" FOREIGN KEY ("template_id") REFERENCES "request_template"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request" ADD CONSTRAINT "request_status_key_fkey" FOREIGN KEY ("status_key") REFERENCES "request_status"("key") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request" ADD CONSTRAINT "request_assignee_id_fkey" FOREIGN KEY ("assignee_id") REFERENCES "operator"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request" ADD CONSTRAINT "request_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversation"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request" ADD CONSTRAINT "request_created_by_id_fkey" FOREIGN KEY ("created_by_id") REFERENCES "operator"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message_request_link" ADD CONSTRAINT "message_request_link_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "message"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message_request_link" ADD CONSTRAINT "message_request_link_request_id_fkey" FOREIGN KEY ("request_id") REFERENCES "request"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request_template" ADD CONSTRAINT "request_template_company_id_fkey" FOREIGN KEY ("company_id") REFERENCES "company"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request_tag" ADD CONSTRAINT "request_tag_request_id_fkey" FOREIGN KEY ("request_id") REFERENCES "request"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request_tag" ADD CONSTRAINT "request_tag_tag_id_fkey" FOREIGN KEY ("tag_id") REFERENCES "tag"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request_attachment" ADD CONSTRAINT "request_attachment_request_id_fkey" FOREIGN KEY ("request_id") REFERENCES "request"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "request_attachment" ADD CONSTRAINT "request_attachment_attachment_id_fkey" FOREIGN KEY ("attachment_id") REFERENCES "attachment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "discussion_post" ADD CONSTRAINT "discussion_post_request_id_fkey" FOREIGN KEY ("request_id") REFERENCES "request"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "discussion_attachment" ADD CONSTRAINT "discussion_attachment_post_id_fkey" FOREIGN KEY ("post_id") REFERENCES "discussion_post"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "discussion_attachment" ADD CONSTRAINT "discussion_attachment_attachment_id_fkey" FOREIGN KEY ("attachment_id") REFERENCES "attachment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "saved_filter" ADD CONSTRAINT "saved_filter_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "operator"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "saved_filter_share" ADD CONSTRAINT "saved_filter_share_filter_id_fkey" FOREIGN KEY ("filter_id") REFERENCES "saved_filter"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "saved_filter_share" ADD CONSTRAINT "saved_filter_share_operator_id_fkey" FOREIGN KEY ("operator_id") REFERENCES "operator"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "list_preferences" ADD CONSTRAINT "list_preferences_operator_id_fkey" FOREIGN KEY ("operator_id") REFERENCES "operator"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_token" ADD CONSTRAINT "api_token_created_by_id_fkey" FOREIGN KEY ("created_by_id") REFERENCES "operator"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
-- What Prisma's schema cannot say.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

ALTER TABLE settings ADD CONSTRAINT settings_one_row CHECK (id = 1);
ALTER TABLE stream_head ADD CONSTRAINT stream_head_one_row CHECK (id = 1);
ALTER TABLE business_number ADD CONSTRAINT business_number_slot CHECK (slot IN (1, 2));
ALTER TABLE participant ADD CONSTRAINT participant_has_id
  CHECK (wa_id IS NOT NULL OR user_id IS NOT NULL OR group_id IS NOT NULL OR merged_into_id IS NOT NULL OR erased_at IS NOT NULL);
ALTER TABLE conversation ADD CONSTRAINT conversation_unread CHECK (unread_count >= 0);
ALTER TABLE conversation ADD CONSTRAINT conversation_beacon CHECK (NOT beacon_on OR beacon_since IS NOT NULL);
ALTER TABLE message ADD CONSTRAINT message_status_outgoing CHECK ((direction = 'OUTGOING') = (status IS NOT NULL));
ALTER TABLE channel_problem ADD CONSTRAINT channel_problem_since CHECK (cleared_at IS NULL OR cleared_at >= since);

CREATE UNIQUE INDEX channel_problem_open_key ON channel_problem (key) WHERE cleared_at IS NULL;
CREATE INDEX conversation_waiting ON conversation (beacon_since, id) WHERE beacon_on;
CREATE INDEX conversation_window_end ON conversation (window_expires_at, id) WHERE window_announced IN ('OPEN', 'EXPIRING_SOON');
CREATE INDEX conversation_unread_some ON conversation (id) WHERE unread_count > 0;
CREATE INDEX message_to_send ON message (conversation_id, sequence) WHERE send_state IN ('QUEUED', 'SENDING', 'UNKNOWN');
CREATE INDEX attachment_to_fetch ON attachment (created_at) WHERE state = 'FETCHING';

-- The head is one hot row: room for updates that stay in its page.
ALTER TABLE stream_head SET (fillfactor = 50);
ALTER TABLE conversation SET (fillfactor = 85);

INSERT INTO settings (id) VALUES (1);
INSERT INTO stream_head (id, epoch, cluster)
VALUES (1, substr(gen_random_uuid()::text, 1, 8),
  (SELECT system_identifier FROM pg_control_system())::text || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8));
INSERT INTO request_status (key, name, closed, position)
VALUES ('new', 'New', false, 1), ('in_progress', 'In progress', false, 2), ('waiting', 'Waiting', false, 3), ('closed', 'Closed', true, 4);

-- Last statement of every change: the row lock makes the order of sequences the order of commits and leaves no hole.
CREATE FUNCTION append_events(items jsonb, OUT last_seq bigint, OUT epoch text, OUT recorded_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  n integer := jsonb_array_length(items);
BEGIN
  UPDATE stream_head h SET seq = h.seq + n WHERE h.id = 1 RETURNING h.seq, h.epoch INTO last_seq, append_events.epoch;
  recorded_at := date_trunc('milliseconds', clock_timestamp());
  INSERT INTO event (seq, epoch, type, conversation_id, business_number_id, message_id, request_id, template_id,
                     operator_id, data, occurred_at, recorded_at)
  SELECT last_seq - n + item.position, append_events.epoch, item.type, item.conversation_id, item.business_number_id,
         item.message_id, item.request_id, item.template_id, item.operator_id, item.data, item.occurred_at,
         append_events.recorded_at
  FROM ROWS FROM (jsonb_to_recordset(items) AS (
    type text, conversation_id uuid, business_number_id uuid, message_id uuid, request_id uuid, template_id uuid,
    operator_id uuid, data jsonb, occurred_at timestamptz)) WITH ORDINALITY
    AS item (type, conversation_id, business_number_id, message_id, request_id, template_id, operator_id, data,
             occurred_at, position);
END $$;
