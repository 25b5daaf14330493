CREATE TABLE "takings" (
	"owner" text PRIMARY KEY NOT NULL,
	"turn" bigint DEFAULT 0 NOT NULL,
	"day" date NOT NULL,
	"items" bigint DEFAULT 0 NOT NULL
);
