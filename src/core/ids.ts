import { randomBytes } from 'node:crypto';

/** 128 random bits in lower-case letters and digits: URL-safe, selected with a double click. */
const randomLength = 25;

/** A new public id such as `batch_3f…`, unguessable, the same in GraphQL, routes and webhooks. */
export function newId(kind: 'batch' | 'file' | 'pbatch'): string {
  const random = BigInt(`0x${randomBytes(16).toString('hex')}`);
  return `${kind}_${random.toString(36).padStart(randomLength, '0')}`;
}

/** True for what `newId` could have made. No other id need be looked up. */
export function isId(kind: 'batch' | 'file', id: string): boolean {
  return id.startsWith(`${kind}_`) && /^[a-z]+_[0-9a-z]{25}$/.test(id);
}

/**
 * The id of a batch in either form: as Winnow has it, or `msgbatch_…`, as Anthropic's API names the
 * same batch. Null for any other text.
 */
export function parseBatchId(id: string): string | null {
  const batchId = id.startsWith('msgbatch_') ? id.slice('msg'.length) : id;
  return isId('batch', batchId) ? batchId : null;
}

/** An item has no key of its own: its id names the batch and the index. */
export function itemId(batchId: string, index: number): string {
  return `item_${batchId.slice('batch_'.length)}_${index}`;
}

export function parseItemId(id: string): { batchId: string; index: number } | null {
  const [, random, index] = /^item_([0-9a-z]{25})_(0|[1-9][0-9]{0,8})$/.exec(id) ?? [];
  return random && index ? { batchId: `batch_${random}`, index: Number(index) } : null;
}

/** UTF-16 units of a custom id. A longer one would not fit an index of Postgres. */
export const maxCustomIdLength = 512;
/** The same in bytes of UTF-8. */
export const maxCustomIdBytes = 3 * maxCustomIdLength;
