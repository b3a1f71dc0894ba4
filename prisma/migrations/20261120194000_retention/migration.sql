-- Written by hand: what Prisma's schema cannot say. Names begin with "x_".

-- Syncs and audits, oldest first, for the retention: few beside the operations of orders.
CREATE INDEX "x_operations_of_accounts" ON "packline"."operations" ("id") WHERE order_id IS NULL;
