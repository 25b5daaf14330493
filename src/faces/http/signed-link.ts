/** Links to a batch's output that need no key for a while: browsers send no header with them. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ItemStatus } from '../../db/item-filter.ts';
import type { OutputFormat } from '../../files/write/output.ts';
import { RouteError } from './route-error.ts';

/** Long enough to click it, and for a download that broke to go on. */
export const linkMinutes = 15;
const keyBytes = 32;

interface OutputLink {
  batchId: string;
  format: OutputFormat;
  /** Only items with one of these statuses. Undefined: all. */
  status: readonly ItemStatus[] | undefined;
  /** Only items with such answers, as the route takes them; an empty list is none of them. */
  labels?: readonly string[] | undefined;
  confidenceBelow?: number | undefined;
  confidenceFrom?: number | undefined;
  includeInput: boolean;
  includeRow: boolean;
  /** CSV, as the route takes them. */
  bom?: boolean;
  delimiter?: string;
}

export interface SignedLinks {
  /** A link that is good for `linkMinutes`, from the slash behind the server's address on. */
  toOutput(link: OutputLink): string;
  /**
   * Throws a RouteError, FORBIDDEN, unless the query is that of a link to this batch whose time has
   * not run out; it may have `after` beside.
   */
  check(batchId: string, query: URLSearchParams): void;
}

/** A key for a server that has none yet, as text. */
export function newLinkKey(): string {
  return randomBytes(keyBytes).toString('base64');
}

/** True where a request comes by a link, and not with a key. */
export function isLink(query: URLSearchParams): boolean {
  return query.has('signature') || query.has('expires');
}

/** Links of all processes that have the same key are the same. `now` is in milliseconds. */
export function createSignedLinks({
  key,
  now = Date.now,
}: {
  key: string;
  now?: () => number;
}): SignedLinks {
  const secret = Buffer.from(key, 'base64');
  const sign = (batchId: string, query: URLSearchParams) =>
    createHmac('sha256', secret).update(signedText(batchId, query)).digest('base64url');

  return {
    toOutput({ batchId, format, status, includeInput, includeRow, bom, delimiter, ...answers }) {
      const include = [...(includeInput ? ['input'] : []), ...(includeRow ? ['row'] : [])].join();
      const expires = Math.floor(now() / 1_000) + linkMinutes * 60;
      const query = new URLSearchParams({
        format,
        ...(status ? { status: status.map((one) => one.toLowerCase()).join() } : {}),
        ...(include === '' ? {} : { include }),
        ...(bom ? { bom: 'true' } : {}),
        ...(delimiter === undefined ? {} : { delimiter }),
        expires: String(expires),
      });
      for (const [name, value] of answerParameters(answers)) query.append(name, value);
      query.set('signature', sign(batchId, query));
      return `/batches/${batchId}/output?${query}`;
    },

    check(batchId, query) {
      const given = Buffer.from(query.get('signature') ?? '');
      const right = Buffer.from(sign(batchId, query));
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        throw new RouteError(
          403,
          'FORBIDDEN',
          'The signature does not fit the link: use it as Batch.outputUrl gave it, with nothing changed; only after may be added',
        );
      }
      // Only behind a right signature, which nobody but us has put over it.
      if (now() >= Number(query.get('expires')) * 1_000) {
        throw new RouteError(
          403,
          'FORBIDDEN',
          `The link has expired after ${linkMinutes} minutes; ask Batch.outputUrl for another one`,
        );
      }
    },
  };
}

/** An empty label, which no answer has, stands for an empty list. */
function answerParameters({
  labels,
  confidenceBelow,
  confidenceFrom,
}: Pick<OutputLink, 'labels' | 'confidenceBelow' | 'confidenceFrom'>): [string, string][] {
  const wanted = labels?.length === 0 ? [''] : (labels ?? []);
  return [
    ...wanted.map((label): [string, string] => ['label', label]),
    ...(confidenceBelow === undefined
      ? []
      : [['confidence_below', String(confidenceBelow)] as [string, string]]),
    ...(confidenceFrom === undefined
      ? []
      : [['confidence_from', String(confidenceFrom)] as [string, string]]),
  ];
}

/** The text that the signature stands for: as JSON, so that no two links have the same. */
function signedText(batchId: string, query: URLSearchParams): string {
  const signed = ['format', 'status', 'include', 'formulas', 'expires'].map((name) =>
    query.get(name),
  );
  // Left out where they are absent, so that links of processes that do not know them go on working.
  const later = ['bom', 'delimiter', 'label', 'confidence_below', 'confidence_from'].flatMap(
    (name) => (query.has(name) ? [[name, ...query.getAll(name)]] : []),
  );
  return JSON.stringify(['output', batchId, ...signed, ...later]);
}
