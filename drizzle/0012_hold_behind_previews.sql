ALTER TABLE "batches" ADD COLUMN "preview_chosen" boolean;--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "in_preview" boolean;