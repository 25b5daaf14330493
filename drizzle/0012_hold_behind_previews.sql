ALTER TABLE "batches" ADD COLUMN "preview_chosen" boolean;--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "in_preview" boolean;--> statement-breakpoint
CREATE INDEX "batches_unchosen" ON "batches" USING btree ("key") WHERE not preview_chosen;