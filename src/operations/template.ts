/** The user's message template: `{content}`, `{any_metadata_field}`, `{{` and `}}` for braces. */
import { ItemFailure } from '../core/errors.ts';
import type { PromptItem } from './operation.ts';

/** Maximum length of a placeholder's name. A longer one is a literal brace that was not doubled. */
const maxNameLength = 200;
/** So many texts in doubled braces are looked at; who has more knows what they are. */
const maxDoubled = 1_000;

export interface Template {
  /** The metadata fields that it names, each once, in order; `content` left out. */
  readonly placeholders: readonly string[];
  /** All that it names, `content` included. */
  readonly names: readonly string[];
  /** Texts in doubled braces that may be meant as placeholders: `{{ text }}` gives ` text `. */
  readonly doubled: readonly string[];
  /**
   * Throws ItemFailure: TEMPLATE_FIELD_MISSING for the first field that the item does not have,
   * CONTEXT_TOO_LONG before it would make more than 8 million characters.
   */
  render(item: PromptItem): string;
}

/** A template may name a long text 50,000 times: counted before it is made. */
export const maxItemPromptLength = 8_000_000;

/** Throws ItemFailure CONTEXT_TOO_LONG for a prompt, or a part, longer than any that is sent. */
export function refuseTooLong(characters: number): void {
  if (characters <= maxItemPromptLength) return;
  throw new ItemFailure(
    'CONTEXT_TOO_LONG',
    `The prompt must have at most ${maxItemPromptLength} characters, not ${characters}.`,
  );
}

type Part = { literal: string } | { field: string };

/**
 * Compiles a template once, in one pass over its text. Values are inserted as they are: braces and
 * `$&` in them mean nothing. Only own fields are read. `{content}` is the item's content even if a
 * field has that name.
 * @throws {TemplateError} for a brace that is neither doubled nor part of a placeholder.
 */
export function compileTemplate(source: string): Template {
  // Checked, bound to a model and made a prompt of, one after the other: a template of 50,000
  // placeholders takes a while.
  if (latest?.source !== source) latest = { source, template: compile(source) };
  return latest.template;
}

let latest: { source: string; template: Template } | null = null;

function compile(source: string): Template {
  const { parts, doubled } = parseTemplate(source);
  const names = [...new Set(parts.flatMap((part) => ('field' in part ? [part.field] : [])))];
  const places = new Map(names.map((name, place) => [name, place]));
  // By number: to look 100,000 fields up by name for each item takes ten times as long.
  const pieces = parts
    .map((part) => ('field' in part ? (places.get(part.field) ?? 0) : part.literal))
    .filter((piece) => piece !== '');

  return {
    names,
    placeholders: names.filter((field) => field !== 'content'),
    doubled,
    render(item) {
      const values = names.map((name) => renderField(name, item));
      const textOf = (piece: string | number) =>
        typeof piece === 'string' ? piece : (values[piece] ?? '');
      let length = 0;
      for (const piece of pieces) length += textOf(piece).length;
      refuseTooLong(length);
      // Put together bit by bit, a text is only made where it is read: what waits to be sent takes
      // no room.
      let text = '';
      for (const piece of pieces) text += textOf(piece);
      return text;
    },
  };
}

/** Problem of a template with its position. The message is for the caller. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

function parseTemplate(source: string): { parts: Part[]; doubled: string[] } {
  const parts: Part[] = [];
  const doubled = new Set<string>();
  const brace = /[{}]/g;
  let literal = '';
  let position = 0;
  /** Behind the last {{: where another one follows at once, somebody knows what doubling does. */
  let behindDoubled = -1;

  for (let match = brace.exec(source); match; match = brace.exec(source)) {
    const { index } = match;
    literal += source.slice(position, index);
    if (source[index + 1] === match[0]) {
      literal += match[0];
      position = index + 2;
      if (match[0] === '{') {
        const name =
          index === behindDoubled || doubled.size === maxDoubled
            ? null
            : readDoubled(source, position);
        if (name !== null) doubled.add(name);
        behindDoubled = position;
      }
    } else if (match[0] === '}') {
      throw new TemplateError(
        `must not have a lone } at character ${index + 1}; write }} for a brace`,
      );
    } else {
      const field = readName(source, index);
      parts.push({ literal }, { field });
      literal = '';
      position = index + field.length + 2;
    }
    brace.lastIndex = position;
  }
  parts.push({ literal: literal + source.slice(position) });
  return { parts, doubled: [...doubled] };
}

/** Text between {{, which ends at `from`, and the next brace, if that is }}. */
function readDoubled(source: string, from: number): string | null {
  const text = source.slice(from, from + maxNameLength + 2);
  return /^[^{}\n\r]+(?=\}\})/.exec(text)?.[0] ?? null;
}

function readName(source: string, open: number): string {
  const name = /^[^{}\n\r]*(?=\})/.exec(source.slice(open + 1, open + 2 + maxNameLength))?.[0];
  if (name === undefined) {
    throw new TemplateError(
      `must not have a lone { at character ${open + 1}; write {{ for a brace, or {field} for a field`,
    );
  }
  if (name.trim() === '') {
    throw new TemplateError(
      `must not have an empty placeholder at character ${open + 1}; name a field, such as {content}, or write {{}} for braces`,
    );
  }
  return name;
}

/**
 * A name of other tools' templates, which doubled braces stand for there: `input.text`,
 * `row["text"]`, `text | upper`. Groups: the first name, what is read of it, and filters.
 */
const foreignName =
  /^\s*([\p{L}_][\p{L}\p{N}_$-]*)((?:\s*(?:\.\s*[\p{L}\p{N}_-]+|\[[^\]]*\]))*)(\s*\|.*)?\s*$/u;

/**
 * Texts of `doubled` that are meant as placeholders, whatever fields items have. These are
 * `content`, and names as other tools write them, with blanks around them or a dot in them. JSON
 * and the like are not placeholders.
 */
export function foreignPlaceholders({ doubled }: Template): string[] {
  return doubled.filter((text) => {
    const [, name, path] = foreignName.exec(text) ?? [];
    return name !== undefined && (name === 'content' || path !== '' || text !== text.trim());
  });
}

/** The fields that text in doubled braces may be meant for: itself, and the first name in it. */
export function namesMeant(text: string): string[] {
  const name = text.trim();
  const [, first = name] = foreignName.exec(text) ?? [];
  return [...new Set([text, name, first])];
}

/** The names of an item's fields. */
export function fieldNames({ metadata, named }: PromptItem): string[] {
  const own = [named?.content, named?.id].filter((name) => typeof name === 'string');
  return [...Object.keys(metadata ?? {}), ...own];
}

/** The value of a field; undefined without one. The text and id may have columns' names too. */
export function fieldOf({ content, metadata, named }: PromptItem, field: string): unknown {
  if (metadata !== null && Object.hasOwn(metadata, field)) return metadata[field];
  if (named && field === named.content) return content;
  if (named && field === named.id) return named.idValue;
  return undefined;
}

/** Strings as they are, numbers and booleans plainly, null as nothing, other values as JSON. */
function renderField(field: string, item: PromptItem): string {
  if (field === 'content') {
    return item.content;
  }
  const value = fieldOf(item, field);
  if (value === undefined) {
    throw new ItemFailure(
      'TEMPLATE_FIELD_MISSING',
      `The item must have the field ${JSON.stringify(field)}, which the template names.`,
    );
  }
  if (value === null) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
