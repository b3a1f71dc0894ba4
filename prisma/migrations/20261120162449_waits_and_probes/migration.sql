-- AlterTable
ALTER TABLE "packline"."accounts" ADD COLUMN     "probe_no" SMALLINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "packline"."gates" ADD COLUMN     "balance_at" TIMESTAMPTZ(6),
ADD COLUMN     "seen_balance" TEXT;

-- Written by hand: what Prisma's schema cannot say. Names begin with "x_".

-- Who waits for a serial key, for whoever gives it back.
CREATE INDEX "x_operations_serial" ON "packline"."operations" ("account_id", "serial_key")
  WHERE wait_reason = 'busy' AND serial_key IS NOT NULL;
