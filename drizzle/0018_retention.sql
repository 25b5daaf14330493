ALTER TABLE "batches" ADD COLUMN "retain_seconds" integer;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "left_at" timestamp (3) with time zone;