ALTER TABLE "batches" ADD COLUMN "retain_seconds" integer;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "left_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "batches_deleted" ON "batches" USING btree ("key") WHERE deleted_at is not null;--> statement-breakpoint
CREATE INDEX "batches_ended" ON "batches" USING btree ("completed_at") WHERE completed_at is not null and deleted_at is null;--> statement-breakpoint
CREATE INDEX "batches_retained" ON "batches" USING btree ("completed_at") WHERE retain_seconds is not null and deleted_at is null;--> statement-breakpoint
CREATE INDEX "files_uploaded" ON "files" USING btree ("created_at") WHERE listed and deleted_at is null;--> statement-breakpoint
CREATE INDEX "files_left" ON "files" USING btree ("left_at") WHERE left_at is not null and deleted_at is null;