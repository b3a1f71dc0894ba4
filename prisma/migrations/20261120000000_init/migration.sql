-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "packline";

-- CreateEnum
CREATE TYPE "packline"."order_status" AS ENUM ('received', 'draft', 'submitted', 'in_progress', 'shipped', 'delivered', 'canceled', 'failed', 'returned');

-- CreateEnum
CREATE TYPE "packline"."operation_kind" AS ENUM ('submit', 'activate', 'cancel', 'update', 'poll');

-- CreateEnum
CREATE TYPE "packline"."operation_state" AS ENUM ('pending', 'queued', 'running', 'retrying', 'waiting', 'unconfirmed', 'succeeded', 'rejected', 'dead', 'canceled');

-- CreateEnum
CREATE TYPE "packline"."wait_reason" AS ENUM ('rate_limited', 'funds', 'window', 'stock', 'otp', 'auth', 'paused', 'busy');

-- CreateEnum
CREATE TYPE "packline"."purpose" AS ENUM ('call', 'look', 'check', 'control', 'watch');

-- CreateEnum
CREATE TYPE "packline"."report" AS ENUM ('accepted', 'refused', 'not_sent', 'unknown');

-- CreateEnum
CREATE TYPE "packline"."verdict" AS ENUM ('accepted', 'refused', 'not_sent', 'absent');

-- CreateEnum
CREATE TYPE "packline"."dead_letter_state" AS ENUM ('open', 'replayed', 'adopted', 'discarded');

-- CreateTable
CREATE TABLE "packline"."accounts" (
    "id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "mode" TEXT NOT NULL DEFAULT 'live',
    "config" JSONB NOT NULL,
    "limits" JSONB NOT NULL DEFAULT '{}',
    "policy" JSONB NOT NULL DEFAULT '{}',
    "breaker" JSONB,
    "credentials" TEXT NOT NULL,
    "credentials_digest" JSONB NOT NULL DEFAULT '{}',
    "pause_code" TEXT,
    "pause_reason" TEXT,
    "paused_at" TIMESTAMPTZ(6),
    "paused_by" TEXT,
    "pause_until" TIMESTAMPTZ(6),
    "probe_at" TIMESTAMPTZ(6),
    "misconfigured_orders" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packline"."gates" (
    "account_id" TEXT NOT NULL,
    "verb" TEXT NOT NULL DEFAULT '*',
    "blocked_until" TIMESTAMPTZ(6),
    "blocked_why" TEXT,
    "next_permit_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seen_limit" INTEGER,
    "seen_remaining" INTEGER,
    "seen_reset_at" TIMESTAMPTZ(6),
    "strikes" INTEGER NOT NULL DEFAULT 0,
    "probe_operation_id" BIGINT,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gates_pkey" PRIMARY KEY ("account_id","verb")
);

-- CreateTable
CREATE TABLE "packline"."orders" (
    "id" UUID NOT NULL,
    "account_id" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "body" JSONB NOT NULL,
    "body_hash" TEXT NOT NULL,
    "status" "packline"."order_status" NOT NULL DEFAULT 'received',
    "raw_status" TEXT,
    "held" BOOLEAN NOT NULL DEFAULT false,
    "attention_code" TEXT,
    "attention_since" TIMESTAMPTZ(6),
    "attention_detail" TEXT,
    "failure" JSONB,
    "provider_order_id" TEXT,
    "provider_data" JSONB NOT NULL DEFAULT '{}',
    "tracking" JSONB NOT NULL DEFAULT '[]',
    "busy_op" BIGINT,
    "cancel_asked_at" TIMESTAMPTZ(6),
    "observed_at" TIMESTAMPTZ(6),
    "read_due_at" TIMESTAMPTZ(6),
    "missing_reads" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packline"."operations" (
    "id" BIGSERIAL NOT NULL,
    "order_id" UUID,
    "account_id" TEXT NOT NULL,
    "kind" "packline"."operation_kind" NOT NULL,
    "state" "packline"."operation_state" NOT NULL DEFAULT 'pending',
    "generation" INTEGER NOT NULL DEFAULT 1,
    "priority" SMALLINT NOT NULL,
    "step" TEXT NOT NULL,
    "step_repeatable" BOOLEAN NOT NULL,
    "purpose" "packline"."purpose" NOT NULL DEFAULT 'call',
    "params" JSONB NOT NULL DEFAULT '{}',
    "carry" JSONB NOT NULL DEFAULT '{}',
    "due_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ring_at" TIMESTAMPTZ(6) DEFAULT CURRENT_TIMESTAMP,
    "ring_no" INTEGER NOT NULL DEFAULT 0,
    "wait_reason" "packline"."wait_reason",
    "wait_since" TIMESTAMPTZ(6),
    "deadline" TIMESTAMPTZ(6),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "calls" INTEGER NOT NULL DEFAULT 0,
    "absent_looks" INTEGER NOT NULL DEFAULT 0,
    "looks" INTEGER NOT NULL DEFAULT 0,
    "confirm_from" TIMESTAMPTZ(6),
    "may_repeat" BOOLEAN NOT NULL DEFAULT true,
    "fence" INTEGER NOT NULL DEFAULT 0,
    "owner" INTEGER,
    "lease_until" TIMESTAMPTZ(6),
    "serial_key" TEXT,
    "last_outcome" JSONB,
    "actor" TEXT NOT NULL DEFAULT 'shop',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "operations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packline"."attempts" (
    "id" BIGSERIAL NOT NULL,
    "operation_id" BIGINT NOT NULL,
    "order_id" UUID,
    "account_id" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "step" TEXT NOT NULL,
    "purpose" "packline"."purpose" NOT NULL DEFAULT 'call',
    "repeatable" BOOLEAN NOT NULL,
    "fence" INTEGER NOT NULL,
    "owner" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "send_by" TIMESTAMPTZ(6) NOT NULL,
    "timeout_ms" INTEGER NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "duration_ms" INTEGER,
    "report" "packline"."report",
    "verdict" "packline"."verdict",
    "outcome" TEXT,
    "code" TEXT,
    "http_status" INTEGER,
    "provider_order_id" TEXT,
    "rule" TEXT,
    "evidence" JSONB,
    "data" JSONB,
    "watch_at" TIMESTAMPTZ(6),
    "watch_no" SMALLINT NOT NULL DEFAULT 0,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packline"."events" (
    "id" BIGSERIAL NOT NULL,
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "type" TEXT NOT NULL,
    "account_id" TEXT,
    "order_id" UUID,
    "operation_id" BIGINT,
    "attempt_id" BIGINT,
    "reference" TEXT,
    "actor" TEXT NOT NULL DEFAULT 'packline',
    "rule" TEXT,
    "data" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packline"."dead_letters" (
    "id" BIGSERIAL NOT NULL,
    "operation_id" BIGINT NOT NULL,
    "order_id" UUID,
    "account_id" TEXT NOT NULL,
    "kind" "packline"."operation_kind" NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "ambiguous" BOOLEAN NOT NULL,
    "state" "packline"."dead_letter_state" NOT NULL DEFAULT 'open',
    "candidates" JSONB NOT NULL DEFAULT '[]',
    "decided_at" TIMESTAMPTZ(6),
    "decided_by" TEXT,
    "reason" TEXT,
    "boarded_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "dead_letters_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packline"."serial_keys" (
    "account_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "busy_op" BIGINT,

    CONSTRAINT "serial_keys_pkey" PRIMARY KEY ("account_id","key")
);

-- CreateTable
CREATE TABLE "packline"."token_refreshes" (
    "account_id" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "root" TEXT NOT NULL,
    "owner" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(6),
    "report" "packline"."report",
    "tokens" TEXT,
    "expires_at" TIMESTAMPTZ(6),
    "code" TEXT,

    CONSTRAINT "token_refreshes_pkey" PRIMARY KEY ("account_id","generation")
);

-- CreateTable
CREATE TABLE "packline"."deliverables" (
    "id" BIGSERIAL NOT NULL,
    "order_id" UUID NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "position" INTEGER NOT NULL,
    "sku" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "deliverables_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packline"."provider_facts" (
    "account_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" JSONB,
    "sealed" TEXT,
    "expires_at" TIMESTAMPTZ(6),
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "provider_facts_pkey" PRIMARY KEY ("account_id","kind","key")
);

-- CreateTable
CREATE TABLE "packline"."installation" (
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "installation_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE UNIQUE INDEX "orders_reference_account_id_key" ON "packline"."orders"("reference", "account_id");

-- CreateIndex
CREATE UNIQUE INDEX "orders_provider_order_id_account_id_key" ON "packline"."orders"("provider_order_id", "account_id");

-- CreateIndex
CREATE INDEX "operations_order_id_idx" ON "packline"."operations"("order_id");

-- CreateIndex
CREATE INDEX "attempts_operation_id_idx" ON "packline"."attempts"("operation_id");

-- CreateIndex
CREATE INDEX "events_xid_id_idx" ON "packline"."events"("xid", "id");

-- CreateIndex
CREATE INDEX "events_order_id_id_idx" ON "packline"."events"("order_id", "id");

-- CreateIndex
CREATE INDEX "dead_letters_operation_id_idx" ON "packline"."dead_letters"("operation_id");

-- CreateIndex
CREATE INDEX "dead_letters_state_id_idx" ON "packline"."dead_letters"("state", "id");

-- CreateIndex
CREATE UNIQUE INDEX "deliverables_order_id_generation_position_key" ON "packline"."deliverables"("order_id", "generation", "position");

-- AddForeignKey
ALTER TABLE "packline"."gates" ADD CONSTRAINT "gates_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "packline"."accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."orders" ADD CONSTRAINT "orders_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "packline"."accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."operations" ADD CONSTRAINT "operations_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "packline"."orders"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."operations" ADD CONSTRAINT "operations_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "packline"."accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."attempts" ADD CONSTRAINT "attempts_operation_id_fkey" FOREIGN KEY ("operation_id") REFERENCES "packline"."operations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."attempts" ADD CONSTRAINT "attempts_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "packline"."orders"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."dead_letters" ADD CONSTRAINT "dead_letters_operation_id_fkey" FOREIGN KEY ("operation_id") REFERENCES "packline"."operations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."dead_letters" ADD CONSTRAINT "dead_letters_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "packline"."orders"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "packline"."deliverables" ADD CONSTRAINT "deliverables_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "packline"."orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Written by hand: what Prisma's schema cannot say. Names begin with "x_".

-- One submit that is not over per order; a dead one is replayed, not replaced.
CREATE UNIQUE INDEX "x_operations_one_submit" ON "packline"."operations" ("order_id")
  WHERE kind = 'submit' AND state NOT IN ('succeeded', 'rejected', 'canceled');

-- One read of an order at a time, and one sync of an account.
CREATE UNIQUE INDEX "x_operations_one_read" ON "packline"."operations" ("order_id")
  WHERE kind = 'poll' AND order_id IS NOT NULL AND state NOT IN ('succeeded', 'rejected', 'dead', 'canceled');
CREATE UNIQUE INDEX "x_operations_one_sync" ON "packline"."operations" ("account_id")
  WHERE kind = 'poll' AND order_id IS NULL AND state NOT IN ('succeeded', 'rejected', 'dead', 'canceled');

-- Never two calls of an order that may both have been done.
CREATE UNIQUE INDEX "x_attempts_one_open" ON "packline"."attempts" ("order_id")
  WHERE NOT repeatable AND verdict IS NULL;

-- The dispatcher's and the maintenance loop's reads, as short as their backlog. Few, since every move of an
-- operation writes to each of them.
CREATE INDEX "x_operations_ring" ON "packline"."operations" ("account_id", "priority", "ring_at") WHERE ring_at IS NOT NULL;
CREATE INDEX "x_operations_open" ON "packline"."operations" ("state", "account_id")
  WHERE state NOT IN ('succeeded', 'rejected', 'dead', 'canceled');
CREATE INDEX "x_operations_busy" ON "packline"."operations" ("order_id") WHERE wait_reason = 'busy';
CREATE INDEX "x_attempts_watch" ON "packline"."attempts" ("watch_at") WHERE watch_at IS NOT NULL;
CREATE INDEX "x_dead_letters_board" ON "packline"."dead_letters" ("id") WHERE state = 'open' AND boarded_at IS NULL;

-- What operators and reads look for.
CREATE INDEX "x_orders_reads" ON "packline"."orders" ("account_id", "read_due_at")
  WHERE provider_order_id IS NOT NULL AND status IN ('draft', 'submitted', 'in_progress', 'shipped');
CREATE INDEX "x_orders_status" ON "packline"."orders" ("status", "id");
CREATE INDEX "x_orders_attention" ON "packline"."orders" ("id") WHERE attention_code IS NOT NULL;
CREATE INDEX "x_orders_email" ON "packline"."orders" (lower(body->'customer'->>'email'));

-- Rows that change several times in their first minute: room on the page keeps those updates off the indexes.
ALTER TABLE "packline"."operations" SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE "packline"."orders" SET (fillfactor = 80);
ALTER TABLE "packline"."attempts" SET (fillfactor = 80);
ALTER TABLE "packline"."gates" SET (fillfactor = 20, autovacuum_vacuum_threshold = 50);
