ALTER TABLE "batches" ADD COLUMN "output_bytes" bigint;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "error_bytes" bigint;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "output_deleted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "errors_deleted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "purpose" text;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "problems" text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "expires_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "hidden_at" timestamp (3) with time zone;