CREATE TABLE "batch_summaries" (
	"batch_key" bigint NOT NULL,
	"field" text NOT NULL,
	"seq" bigint NOT NULL,
	"rows" integer NOT NULL,
	"counts" text NOT NULL,
	CONSTRAINT "batch_summaries_batch_key_field_pk" PRIMARY KEY("batch_key","field")
);
