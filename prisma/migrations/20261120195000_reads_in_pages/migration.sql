-- Written by hand: what Prisma's schema cannot say. Names begin with "x_".

-- A sync of everything asks for what was read longest ago, page after page.
CREATE INDEX "x_orders_observed" ON "packline"."orders" ("account_id", "observed_at")
  WHERE provider_order_id IS NOT NULL AND status IN ('draft', 'submitted', 'in_progress', 'shipped');
