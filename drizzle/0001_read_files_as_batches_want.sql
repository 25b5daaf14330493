CREATE TABLE "custom_ids" (
	"batch_key" bigint NOT NULL,
	"custom_id" text NOT NULL,
	"index" integer NOT NULL,
	CONSTRAINT "custom_ids_batch_key_custom_id_pk" PRIMARY KEY("batch_key","custom_id")
);
--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "content_field" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "custom_id_field" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "custom_id_prefix" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "ids_indexed" integer;--> statement-breakpoint
CREATE INDEX "batches_unindexed" ON "batches" USING btree ("key") WHERE ids_indexed < total;