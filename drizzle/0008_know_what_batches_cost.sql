ALTER TYPE "public"."chunk_state" ADD VALUE 'held';--> statement-breakpoint
CREATE TABLE "twins" (
	"batch_key" bigint NOT NULL,
	"index" integer NOT NULL,
	"leader" integer NOT NULL,
	CONSTRAINT "twins_batch_key_index_pk" PRIMARY KEY("batch_key","index")
);
--> statement-breakpoint
CREATE TABLE "spending" (
	"batch_key" bigint NOT NULL,
	"month" text NOT NULL,
	"owner" text NOT NULL,
	"model" text NOT NULL,
	"execution" "execution" NOT NULL,
	"requests" bigint DEFAULT 0 NOT NULL,
	"unmetered" bigint DEFAULT 0 NOT NULL,
	"input_tokens" bigint DEFAULT 0 NOT NULL,
	"cached_input_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_write_tokens" bigint DEFAULT 0 NOT NULL,
	"cache_write_long_tokens" bigint DEFAULT 0 NOT NULL,
	"reasoning_tokens" bigint DEFAULT 0 NOT NULL,
	"output_tokens" bigint DEFAULT 0 NOT NULL,
	"cost_usd" double precision,
	CONSTRAINT "spending_batch_key_month_model_execution_pk" PRIMARY KEY("batch_key","month","model","execution")
) WITH (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "cache_write_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "cache_write_long_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "reasoning_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "unmetered_requests" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "max_cost_usd" double precision;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "pause_reason" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "pause_message" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "paused_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "pause_resumes_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "preview_items" integer;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "preview_resumed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "quote" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "counted_tokens" double precision;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "options_hash" "bytea";--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "prompt_caching" boolean;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "twins_found" boolean;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "twins" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "repeats" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "chunks" ADD COLUMN "twins" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "results" ADD COLUMN "cache_write_tokens" integer;--> statement-breakpoint
ALTER TABLE "results" ADD COLUMN "cache_write_long_tokens" integer;--> statement-breakpoint
ALTER TABLE "results" ADD COLUMN "reasoning_tokens" integer;--> statement-breakpoint
ALTER TABLE "results" ADD COLUMN "unmetered" smallint;--> statement-breakpoint
ALTER TABLE "superseded_results" ADD COLUMN "cache_write_tokens" integer;--> statement-breakpoint
ALTER TABLE "superseded_results" ADD COLUMN "cache_write_long_tokens" integer;--> statement-breakpoint
ALTER TABLE "superseded_results" ADD COLUMN "reasoning_tokens" integer;--> statement-breakpoint
ALTER TABLE "superseded_results" ADD COLUMN "unmetered" smallint;