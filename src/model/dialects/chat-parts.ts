/**
 * The blocks of Anthropic's messages as the parts of OpenAI's
 * (https://platform.openai.com/docs/api-reference/chat/create). Pure. A block that OpenAI has
 * nothing for is its own part, so that the refusal names it.
 */
import { isRecord, type JsonRecord } from '../../core/json.ts';

/** A text alone is a string, which every server takes. */
export function contentOf(parts: readonly unknown[], between: string): unknown {
  return parts.every(isText) ? parts.map(({ text }) => text).join(between) : parts;
}

/** The parts that a block comes to: one for most, none that is left out. */
export function toParts(block: unknown): unknown[] {
  if (typeof block === 'string') return [{ type: 'text', text: block }];
  if (!isRecord(block)) return [block];
  const { source } = block;
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text }];
    case 'image': {
      const url = isRecord(source) ? toUrl(source) : undefined;
      return url === undefined ? [block] : [{ type: 'image_url', image_url: { url } }];
    }
    case 'document':
      return isRecord(source) ? documentParts(block, source) : [block];
    default:
      return [block];
  }
}

/** A document of text is text; a file of bytes stays a file; all others go on as they are. */
function documentParts(block: JsonRecord, source: JsonRecord): unknown[] {
  const { title, context } = block;
  switch (source.type) {
    case 'base64': {
      const file = { filename: title ?? 'document.pdf', file_data: toUrl(source) };
      return [...textParts(context), { type: 'file', file }];
    }
    case 'text':
      return [{ type: 'text', text: paragraphs(title, context, source.data) }];
    case 'content': {
      const { content } = source;
      const parts = (Array.isArray(content) ? content : [content]).flatMap(toParts);
      return [...textParts(paragraphs(title, context)), ...parts];
    }
    default:
      return [block];
  }
}

/** The part of a text that is not empty, in both dialects. */
export function textParts(text: unknown): JsonRecord[] {
  return typeof text === 'string' && text !== '' ? [{ type: 'text', text }] : [];
}

function paragraphs(...texts: unknown[]): string {
  return texts.filter((text) => typeof text === 'string' && text !== '').join('\n\n');
}

export function isText(part: unknown): part is { type: 'text'; text: string } {
  return isRecord(part) && part.type === 'text' && typeof part.text === 'string';
}

/** True of parts that only a user's message may hold. */
export function isShown(part: unknown): boolean {
  return isRecord(part) && (part.type === 'image_url' || part.type === 'file');
}

/** Undefined for an image that OpenAI cannot be shown: a file of Anthropic's. */
function toUrl({ type, url, media_type, data }: JsonRecord): unknown {
  return type === 'base64'
    ? `data:${String(media_type)};base64,${String(data)}`
    : type === 'url'
      ? url
      : undefined;
}
