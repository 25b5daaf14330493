/** The user's message template: `{content}`, `{any_metadata_field}`, and `{{`, `}}` for literal braces. */
import { ItemFailure } from '../errors.ts';
import type { PromptItem } from './operation.ts';

/** What a placeholder may be called at most; a longer one is a literal brace that was not doubled. */
const MAX_NAME_LENGTH = 200;

export interface Template {
  /** The metadata fields that it names, each once, in order; `content` left out. */
  readonly placeholders: readonly string[];
  /** Throws ItemFailure TEMPLATE_FIELD_MISSING for the first field that the item does not have. */
  render(item: PromptItem): string;
}

type Part = { literal: string } | { field: string };

/**
 * Compiles a template once, in one pass over its text. Values are put in as they are: braces and `$&` in them mean
 * nothing, and own fields only are read. `{content}` is the item's content even where a field has that name.
 * @throws {TemplateError} where a brace is neither doubled nor part of a placeholder.
 */
export function compileTemplate(source: string): Template {
  const parts = parseTemplate(source);
  const fields = parts.flatMap((part) => ('field' in part ? [part.field] : []));

  return {
    placeholders: [...new Set(fields)].filter((field) => field !== 'content'),
    render: (item) =>
      parts
        .map((part) => ('literal' in part ? part.literal : renderField(part.field, item)))
        .join(''),
  };
}

/** What is wrong with a template, and where; the message is for the caller. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

function parseTemplate(source: string): Part[] {
  const parts: Part[] = [];
  const brace = /[{}]/g;
  let literal = '';
  let position = 0;

  for (let match = brace.exec(source); match; match = brace.exec(source)) {
    const { index } = match;
    literal += source.slice(position, index);
    if (source[index + 1] === match[0]) {
      literal += match[0];
      position = index + 2;
    } else if (match[0] === '}') {
      throw new TemplateError(`has a lone } at character ${index + 1}; write }} for a brace`);
    } else {
      const field = readName(source, index);
      parts.push({ literal }, { field });
      literal = '';
      position = index + field.length + 2;
    }
    brace.lastIndex = position;
  }
  parts.push({ literal: literal + source.slice(position) });
  return parts;
}

function readName(source: string, open: number): string {
  const name = /^[^{}\n\r]*(?=\})/.exec(source.slice(open + 1, open + 2 + MAX_NAME_LENGTH))?.[0];
  if (name === undefined) {
    throw new TemplateError(
      `has a lone { at character ${open + 1}; write {{ for a brace, or {field} for a field`,
    );
  }
  if (name.trim() === '') {
    throw new TemplateError(
      `has an empty placeholder at character ${open + 1}; name a field, such as {content}, or write {{}} for braces`,
    );
  }
  return name;
}

/** Strings as they are, numbers and booleans plainly, null as nothing (like an empty CSV cell), the rest as JSON. */
function renderField(field: string, { content, metadata }: PromptItem): string {
  if (field === 'content') {
    return content;
  }
  const value = metadata !== null && Object.hasOwn(metadata, field) ? metadata[field] : undefined;
  if (value === undefined) {
    throw new ItemFailure(
      'TEMPLATE_FIELD_MISSING',
      `The template names the field ${JSON.stringify(field)}, which this item does not have.`,
    );
  }
  if (value === null) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
