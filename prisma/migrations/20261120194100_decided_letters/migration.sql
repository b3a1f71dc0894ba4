-- Written by hand: what Prisma's schema cannot say. Names begin with "x_".

-- Decided dead letters that are still on the board: looked for every second, and nearly never there.
CREATE INDEX "x_dead_letters_decided" ON "packline"."dead_letters" ("id") WHERE state <> 'open' AND boarded_at IS NOT NULL;
