/** Lists as async iterators that read page after page. */
import { PayloadTooLarge } from './errors.ts';

export interface Page<Entry> {
  edges: readonly { entry: Entry }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** The largest page that the server gives. */
const maxPage = 1_000;

/**
 * All entries, in their order. A page that is too large for one answer is asked for again in
 * halves.
 */
export async function* readPages<Entry>(
  read: (page: { first: number; after: string | null }) => Promise<Page<Entry>>,
  firstPage = maxPage,
): AsyncGenerator<Entry, void> {
  let first = firstPage;
  let after: string | null = null;
  for (;;) {
    const page: Page<Entry> | null = await read({ first, after }).catch((error: unknown) => {
      if (!(error instanceof PayloadTooLarge) || first === 1) throw error;
      return null;
    });
    if (page === null) {
      first = Math.ceil(first / 2);
      continue;
    }
    for (const { entry } of page.edges) yield entry;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor;
  }
}
