ALTER TABLE "workers" ADD COLUMN "concurrency" integer;--> statement-breakpoint
ALTER TABLE "workers" ADD COLUMN "state" text;