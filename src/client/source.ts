/** The source of a batch. Arrays that are too large for one request are uploaded as a file. */
import { wrongInput } from './errors.ts';
import type { Files } from './files.ts';
import type { Source } from './submit-types.ts';
import type { Item, Items, WinnowFile } from './types.ts';
import type { SourceInput } from './wire.ts';

/** Items that the server takes in one request. */
const maxInlineItems = 10_000;
/** Characters of JSON; the server takes 16,000,000 bytes in one request. */
const maxInlineCharacters = 4_000_000;
/** Lines that are put together before they become bytes. */
const linesAPart = 1_000;

/** A source as GraphQL takes it, or the items that are to be uploaded first. */
export type ReadySource = { input: SourceInput } | { items: readonly Item[] };

/** Throws BadUserInput for what is not a source. */
export function readSource(source: Source): ReadySource {
  if (typeof source !== 'object' || source === null) {
    throw wrongInput([
      { path: 'source', message: 'must be a file, or an array of texts or items' },
    ]);
  }
  if (!isItems(source)) {
    if ('id' in source) return { input: { fileId: source.id } };
    if ('texts' in source && isLarge(source.texts)) return { items: asItems(source.texts) };
    if ('items' in source && isLarge(source.items)) return { items: asItems(source.items) };
    return { input: source };
  }
  if (isLarge(source)) return { items: asItems(source) };
  return { input: { items: asItems(source) } };
}

function isItems(source: Source): source is Items {
  return Array.isArray(source);
}

function isLarge(items: Items): boolean {
  return items.length > maxInlineItems || JSON.stringify(items).length > maxInlineCharacters;
}

function asItems(items: Items): readonly Item[] {
  return items.map((item) => (typeof item === 'string' ? { content: item } : item));
}

/**
 * Uploads items as JSON Lines. Each has its index as custom id where it has none, as inline items
 * have. Throws BadUserInput where the server refuses one: a batch without it would be another.
 */
export async function uploadItems(
  files: Files,
  items: readonly Item[],
  signal?: AbortSignal,
): Promise<WinnowFile> {
  const names = freeNames(items);
  const file = await files.upload(toBlob(items, names), {
    name: 'items.jsonl',
    format: 'jsonl',
    contentField: names.content,
    customIdField: names.customId,
    signal,
  });
  if (file.itemCount === items.length) return file;
  await files.delete(file.id, { signal });
  const issues = file.rejections.map(({ row, reason }) => ({
    path: `source.${row - 1}`,
    message: reason,
  }));
  throw wrongInput(issues);
}

interface Names {
  content: string;
  customId: string;
}

/** Names of the text and the id that no metadata has. */
function freeNames(items: readonly Item[]): Names {
  const taken = new Set(items.flatMap(({ metadata }) => Object.keys(metadata ?? {})));
  const free = (name: string): string => (taken.has(name) ? free(`_${name}`) : name);
  return { content: free('content'), customId: free('custom_id') };
}

function toBlob(items: readonly Item[], { content, customId }: Names): Blob {
  const parts: string[] = [];
  for (let start = 0; start < items.length; start += linesAPart) {
    const lines = items.slice(start, start + linesAPart).map((item, at) => {
      const id = item.customId ?? String(start + at);
      return `${JSON.stringify({ [customId]: id, [content]: item.content, ...item.metadata })}\n`;
    });
    parts.push(lines.join(''));
  }
  return new Blob(parts, { type: 'application/x-ndjson' });
}
