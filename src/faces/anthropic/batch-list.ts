/** A page of message batches, the newest first, behind one batch or before one. */
import { type BatchPage, findBatchPlace, readBatchPage } from '../../app/batch-page.ts';
import { BadUserInput } from '../../core/errors.ts';
import type { Database } from '../../db/driver/client.ts';

export const defaultPage = 20;
export const maxPage = 1_000;

/** The page of batches that a query asks for. Throws BadUserInput. */
export async function listPage(
  db: Database,
  owner: string,
  query: URLSearchParams,
): Promise<BatchPage> {
  const limit = limitOf(query.get('limit'));
  const [after, before] = [query.get('after_id'), query.get('before_id')];
  if (after !== null && before !== null) {
    throw badParameter('after_id', 'must be absent where before_id is given');
  }
  const placeOf = async (name: string, id: string | null) =>
    id === null ? undefined : await readPlace(db, owner, { name, id });
  const { batches, hasMore } = await readBatchPage(db, owner, {
    limit,
    afterKey: await placeOf('after_id', after),
    beforeKey: await placeOf('before_id', before),
    inverted: before !== null,
  });
  return { batches: before === null ? batches : batches.reverse(), hasMore };
}

async function readPlace(
  db: Database,
  owner: string,
  { name, id }: { name: string; id: string },
): Promise<bigint> {
  const key = await findBatchPlace(db, owner, id);
  if (key === null) throw badParameter(name, 'must be the id of a message batch');
  return key;
}

function limitOf(given: string | null): number {
  if (given === null) return defaultPage;
  const limit = /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (limit >= 1 && limit <= maxPage) return limit;
  throw badParameter('limit', `must be a whole number from 1 to ${maxPage.toLocaleString('en')}`);
}

function badParameter(path: string, message: string): BadUserInput {
  return new BadUserInput([{ path, message }]);
}
