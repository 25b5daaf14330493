import { type SQL, sql } from 'drizzle-orm';

/** So many milliseconds from now, by the clock of the database. */
export function after(ms: number): SQL {
  return sql`now() + make_interval(secs => ${ms / 1_000}::float8)`;
}
