ALTER TABLE "batches" ADD COLUMN "twins_recorded" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "twins_leader" ON "twins" USING btree ("batch_key","leader","index");