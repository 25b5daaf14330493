ALTER TABLE "files" ADD COLUMN "blank_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "warnings" text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "encoding" text;--> statement-breakpoint
ALTER TABLE "results" ADD COLUMN "rejected_answer" text;--> statement-breakpoint
ALTER TABLE "rows" ADD COLUMN "row" integer;--> statement-breakpoint
CREATE INDEX "rows_row" ON "rows" USING btree ("file_key","row") WHERE "row" is not null;