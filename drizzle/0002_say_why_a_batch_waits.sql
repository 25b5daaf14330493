ALTER TABLE "batches" ADD COLUMN "waiting_reason" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "waiting_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "waiting_until" timestamp (3) with time zone;