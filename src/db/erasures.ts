/**
 * Which owners were erased lately, for processes that did not hear of it: calls that began before
 * go by the other name. Only a hash tells whose an erasure was.
 */
import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';

/** Longer than a call runs. */
const keptHours = 24;
/** A statement is sent at most so much after its ages were taken. */
const slackSeconds = 1;

/** Keeps that what the owner's calls cost goes by `erasedAs`, without the owner's name. */
export async function noteErasure(
  sql: Sql,
  { owner, erasedAs }: { owner: string; erasedAs: string },
): Promise<void> {
  await sql`
    insert into erasures (erased_as, hash)
    values (${erasedAs}, ${hashOf(sql, sql`${erasedAs}::text`, sql`${owner}::text`)})`;
}

/**
 * A part of a statement: a query of `owner`, the name that an owner was given, and `at`, for each
 * of its erasures since so many seconds ago.
 */
export function erasuresOf(
  sql: Sql,
  { owner, seconds }: { owner: postgres.Fragment; seconds: postgres.Fragment },
): postgres.Fragment {
  return sql`
    select e.erased_as as owner, e.at from erasures e
    where e.at > now() - make_interval(secs => ${seconds} + ${slackSeconds})
      and e.hash = ${hashOf(sql, sql`e.erased_as`, owner)}`;
}

/** Deletes those of which no call of before can run any more. */
export async function deleteOldErasures(sql: Sql): Promise<void> {
  await sql`delete from erasures where at < now() - make_interval(hours => ${keptHours})`;
}

/** In hexadecimal. The random name makes the hash of an owner another one at each erasure. */
function hashOf(sql: Sql, erasedAs: postgres.Fragment, owner: postgres.Fragment) {
  return sql`encode(sha256(convert_to(${erasedAs} || ${owner}, 'UTF8')), 'hex')`;
}
