CREATE TABLE "erasures" (
	"erased_as" text PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
