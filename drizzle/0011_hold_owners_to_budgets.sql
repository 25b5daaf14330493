CREATE TABLE "reservations" (
	"owner" text NOT NULL,
	"process" text NOT NULL,
	"held_usd" double precision DEFAULT 0 NOT NULL,
	"reckoned" bigint DEFAULT 0 NOT NULL,
	"expires_at" timestamp (3) with time zone,
	CONSTRAINT "reservations_owner_process_pk" PRIMARY KEY("owner","process")
);
