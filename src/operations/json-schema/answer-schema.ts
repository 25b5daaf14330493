/** A user's answer schema, short or full, prepared for requests, validation and CSV columns. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { readJson } from '../answer-json.ts';
import type { CheckTime } from '../check-time.ts';
import type { NamedField } from '../instruction-names.ts';
import { checkSchema } from './check.ts';
import { closedLists } from './closed-lists.ts';
import { describeFields } from './describe.ts';
import { createJudge, type JudgeOptions } from './judge.ts';
import { givenPath, toModern } from './modern.ts';
import { expandShortForm, isFullSchema, type SchemaIssue, shortPath } from './short-form.ts';
import { lengthIssues, sizeIssues } from './size.ts';
import { toStrictSchema } from './strict.ts';
import { everyKeyword, followReferences, inPlaceKeywords, subschemas } from './subschemas.ts';

export interface AnswerSchema {
  /** Schema to send: strict if the subset can express the user's schema, else that itself. */
  readonly schema: JsonSchema;
  readonly strict: boolean;
  /** The fields as a list for the prompt. */
  readonly description: string;
  /** The answer's top-level fields in order; null where it may have others. */
  readonly columns: readonly string[] | null;
  /** The answer's top-level fields whose values are of a closed list. */
  readonly closedLists: readonly string[];
  /**
   * The object in a model's answer, valid against the user's schema. Throws InvalidOutput, and
   * ItemFailure for an integer that JavaScript cannot hold: with `longIntegers` its digits stand
   * instead.
   */
  read(answer: string, options: JudgeOptions): JsonRecord;
  /** Holds an example's answer to the user's schema, as it is. Throws InvalidOutput. */
  check(value: JsonRecord, time: CheckTime): void;
}

type Prepared = { issues: readonly SchemaIssue[]; answerSchema: AnswerSchema | null };

/** Prepared schemas by text, the latest last: a page of items prepares its schema once. */
const prepared = new Map<string, Prepared>();
/** Characters of text that are kept; what is made of a schema takes some 20 times its text. */
const maxKeptCharacters = 1_000_000;

/** Issues of a user's schema, by path. Empty when `prepareAnswerSchema` accepts the schema. */
export function answerSchemaIssues(given: JsonRecord): readonly SchemaIssue[] {
  return prepareOnce(given).issues;
}

/** Makes a user's schema ready; throws for one that `answerSchemaIssues` finds fault with. */
export function prepareAnswerSchema(given: JsonRecord): AnswerSchema {
  const { answerSchema, issues } = prepareOnce(given);
  if (!answerSchema) {
    throw new Error(`The schema was not checked: ${issues[0]?.message}`);
  }
  return answerSchema;
}

/** The schema of fields known by name: text, number, true or false, list of texts, or null. */
export function prepareNamedFields(fields: readonly NamedField[]): AnswerSchema {
  const value = {
    anyOf: [
      ...['string', 'number', 'boolean'].map((type) => ({ type })),
      { type: 'array', items: { type: 'string' } },
      { type: 'null' },
    ],
  };
  const properties = fields.map(
    ({ name, description }) =>
      [name, description === null ? value : { description, ...value }] as const,
  );
  const required = fields.map(({ name }) => name);
  return build({ type: 'object', properties: Object.fromEntries(properties), required }, true);
}

function prepareOnce(given: JsonRecord): Prepared {
  const text = JSON.stringify(given);
  const result = prepared.get(text) ?? prepare(given);
  prepared.delete(text);
  // One that is too long is refused at once, each time.
  if (text.length <= maxKeptCharacters / 4) prepared.set(text, result);
  let kept = [...prepared.keys()].reduce((sum, { length }) => sum + length, 0);
  for (const [oldest] of prepared) {
    if (kept <= maxKeptCharacters) break;
    prepared.delete(oldest);
    kept -= oldest.length;
  }
  return result;
}

function prepare(given: JsonRecord): Prepared {
  const issues = lengthIssues(given);
  const isShort = !isFullSchema(given);
  const full = isShort && issues.length === 0 ? expandShortForm(given, issues) : given;
  if (issues.length === 0) issues.push(...sizeIssues(full));
  if (issues.length > 0) return { issues, answerSchema: null };
  const schema = toModern(full, issues);
  // What older drafts have in other places counts as well.
  if (issues.length === 0) issues.push(...sizeIssues(schema));
  if (issues.length === 0) {
    const found = checkSchema(schema);
    issues.push(...found.map((issue) => ({ ...issue, path: givenPath(full, issue.path) })));
  }
  if (issues.length === 0) return { issues, answerSchema: build(schema, isShort) };
  return {
    issues: isShort
      ? issues.map((issue) => ({ ...issue, path: shortPath(given, issue.path) }))
      : issues,
    answerSchema: null,
  };
}

/** `isClosed`: its objects have the keys alone that it names, where it says nothing else. */
function build(original: JsonSchema, isClosed: boolean): AnswerSchema {
  const strict = toStrictSchema(original).schema;
  const { schema, closed } = strict || isClosed ? closeObjects(original) : asItIs(original);
  // Closed alternatives exclude each other where open ones overlap: what is valid for the one need
  // not be for the other.
  const open = closed.size > 0 && everyKeyword(original).has('oneOf') ? original : null;
  const read = createJudge({ schema, closed, open });
  const { properties, additionalProperties } = followReferences(schema, schema);

  return {
    schema: strict ?? schema,
    strict: strict !== null,
    description: describeFields(original, { strict: strict !== null }),
    columns:
      isRecord(properties) && additionalProperties === false ? Object.keys(properties) : null,
    closedLists: closedLists(schema),
    read: (answer, options) => readJson(answer, (found) => read(found, options)),
    check: (value, time) => void read({ value, exact: null }, { time, exactly: true }),
  };
}

interface Closed {
  schema: JsonSchema;
  /** The objects in it that were closed. */
  closed: Set<JsonSchema>;
}

function asItIs(schema: JsonSchema): Closed {
  return { schema, closed: new Set() };
}

/**
 * The schema closed as the strict schema is: keys that the schema does not name are refused unless
 * the schema allows others. So answers are judged alike, whether or not the provider enforced the
 * schema.
 */
function closeObjects(schema: JsonSchema): Closed {
  const copy = structuredClone(schema) as JsonRecord;
  const closed = new Set<JsonSchema>();
  const close = (node: JsonRecord) => {
    // Others for the same value may name further keys.
    const isWhole = !subschemas(node).some(({ keyword }) => inPlaceKeywords.has(keyword));
    const isOpen = !['additionalProperties', 'unevaluatedProperties', '$ref'].some((keyword) =>
      Object.hasOwn(node, keyword),
    );
    if (isRecord(ownValue(node, 'properties')) && isWhole && isOpen) {
      node.additionalProperties = false;
      closed.add(node);
    }
    for (const child of subschemas(node)) {
      close(child.schema as JsonRecord);
    }
  };
  close(copy);
  return { schema: copy, closed };
}
