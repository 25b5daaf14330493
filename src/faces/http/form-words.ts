/** Faults of a form's values, for those who do not know zod's types. */
import type { z } from 'zod';
import type { InputIssue } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { shapeOf, takes } from './form-values.ts';

/** Enough to correct a form by. */
const maxIssues = 20;
const maxKeys = 5;

/** The issues of a check by `schema`, each with its place and what would be right. */
export function issuesOf(
  schema: z.ZodType,
  error: z.ZodError | undefined,
  value: unknown,
): InputIssue[] {
  return (error?.issues ?? []).slice(0, maxIssues).map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: wordsFor(issue, {
      schema: schemaAt(schema, issue.path),
      value: valueAt(value, issue.path),
    }),
  }));
}

/** The nearest name that there is, behind one that there is not; nothing where none is near. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearest(name, names);
  return near === null ? '' : ` (did you mean ${JSON.stringify(near)}?)`;
}

function wordsFor(
  issue: z.core.$ZodIssue,
  { schema, value }: { schema: z.ZodType | null; value: unknown },
): string {
  switch (issue.code) {
    case 'invalid_type':
      if (!issue.message.startsWith('Invalid input')) return issue.message;
      if (issue.message.endsWith('undefined')) return 'is required';
      return `must be ${schema ? takes(schema) : `of type ${issue.expected}`}`;
    case 'invalid_value': {
      if (!issue.message.startsWith('Invalid option')) return issue.message;
      const words = issue.values.map(String);
      const hint = typeof value === 'string' ? didYouMean(value, words) : '';
      return `must be one of ${words.join(', ')}${hint}`;
    }
    case 'unrecognized_keys': {
      const shape = schema && shapeOf(schema);
      const names = shape?.kind === 'object' ? Object.keys(shape.fields) : [];
      const shown = issue.keys
        .slice(0, maxKeys)
        .map((key) => `${quotedName(key)}${didYouMean(key, names)}`);
      const keys = issue.keys.length === 1 ? 'an unknown key' : 'unknown keys';
      const more = issue.keys.length > maxKeys ? ', …' : '';
      return `has ${keys} ${shown.join(', ')}${more}; it takes ${names.join(', ')}`;
    }
    default:
      return issue.message;
  }
}

/** The schema of what stands at a path; null where none says. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | null {
  let at: z.ZodType | undefined = schema;
  for (const key of path) {
    const shape = shapeOf(at);
    if (shape.kind === 'list') at = shape.element;
    else if (shape.kind === 'object') at = shape.fields[String(key)];
    else at = undefined;
    if (!at) return null;
  }
  return at;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}
