/** The answers of a batch in the order of their confidence, the least sure first. */
import { answerConditions } from './answer-filter.ts';
import { confidenceOf } from './confidence.ts';
import type { Sql } from './driver/client.ts';
import { type ItemFilter, type ItemSource, itemsOf } from './item-filter.ts';

/** Where an answer stands: answers as sure as each other are in the order of the input. */
export interface SurePlace {
  confidence: number;
  index: number;
}

/** Bounds are exclusive. */
export interface SurePage {
  limit: number;
  after: SurePlace | null;
  before: SurePlace | null;
  inverted: boolean;
}

/** Some answers, in the order in which they were asked for. */
interface LeastSure {
  /** Their indexes, as an array of Postgres in text. */
  indexes: string;
  count: number;
  /** Place of the last one; null where no answer was found. */
  end: SurePlace | null;
}

/**
 * Answers with a confidence that custom ids and conditions on answers leave; the other conditions
 * of the filter are not looked at. Without a confidence of any answer, none.
 */
export async function findLeastSure(
  sql: Sql,
  source: ItemSource,
  { customIds, answers }: Pick<ItemFilter, 'customIds' | 'answers'>,
  { limit, after, before, inverted }: SurePage,
): Promise<LeastSure> {
  const conditions = answerConditions({
    ...answers,
    confidence: answers?.confidence ?? { from: null, below: null },
  });
  const direction = inverted ? sql`desc` : sql`asc`;
  const order = sql`confidence ${direction}, index ${direction}`;
  const [found] = await sql<
    { indexes: string; count: number; confidence: number | null; index: number | null }[]
  >`
    with page as materialized (
      select * from (
        select r.index, ${confidenceOf(sql)} as confidence from results r
        where r.batch_key = ${source.batchKey} and ${sql.unsafe(conditions.text)}
          ${customIds ? sql`and r.index in ${itemsOf(sql, source, customIds)}` : sql``}
      ) r
      where true
        ${after ? sql`and (confidence, index) > (${after.confidence}::real, ${after.index}::int)` : sql``}
        ${before ? sql`and (confidence, index) < (${before.confidence}::real, ${before.index}::int)` : sql``}
      order by ${order}
      limit ${limit}
    )
    select coalesce(array_agg(index order by ${order}), '{}')::text as indexes, count(*)::int as count,
           (array_agg(confidence order by ${order}))[count(*)] as confidence,
           (array_agg(index order by ${order}))[count(*)] as index
    from page`;
  const { indexes = '{}', count = 0, confidence = null, index = null } = found ?? {};
  return {
    indexes,
    count,
    end: confidence === null || index === null ? null : { confidence, index },
  };
}

/** Where an item stands; null where it has no confidence. */
export async function findSurePlace(
  sql: Sql,
  { batchKey }: ItemSource,
  index: number,
): Promise<SurePlace | null> {
  const [found] = await sql<{ confidence: number | null }[]>`
    select ${confidenceOf(sql)} as confidence from results r
    where r.batch_key = ${batchKey} and r.index = ${index}`;
  const confidence = found?.confidence ?? null;
  return confidence === null ? null : { confidence, index };
}
