-- Written by hand: what Prisma's schema cannot say. Names begin with "x_".

-- The metrics count orders by account and status: from this index alone, which is a hundredth of the table. A status
-- that changes is written to an index anyway (x_orders_status), so that no more updates miss the page they are on.
CREATE INDEX "x_orders_tally" ON "packline"."orders" ("account_id", "status");
