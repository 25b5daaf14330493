/** ajv, set up for schemas and answers that nobody vouches for, and its errors put into words for the model. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { InvalidOutput } from '../../errors.ts';
import type { JsonSchema } from '../../model/model.ts';
import { everyKeyword, toReference } from './subschemas.ts';
import { createTimeLimit, type TimeLimit } from './time-limit.ts';

const MAX_ERRORS = 5;
const MAX_MESSAGE_LENGTH = 1_000;

/** Without these the time is bounded by the sizes of schema and answer. */
const UNBOUNDED = ['$ref', 'pattern', 'patternProperties', 'uniqueItems'];

export interface Validator {
  /** Runs the whole check of one answer, under a time limit where the schema could take for ever. */
  readonly limited: TimeLimit;
  /** Throws InvalidOutput that names what breaks the schema, at most five things. */
  validate(value: unknown): void;
  /** Whether the part of the schema at a path accepts a value. */
  accepts(path: readonly string[], value: unknown): boolean;
}

/**
 * Compiles a schema that `checkSchema` found no fault with. Nothing is loaded from elsewhere. Throws ajv's error where
 * the schema cannot be compiled all the same.
 */
export function createValidator(schema: JsonSchema): Validator {
  const keywords = everyKeyword(schema);
  const ajv = new Ajv2020({
    strict: false,
    meta: false,
    validateSchema: false, // checkSchema did
    logger: false,
    // All of them for the model, unless alternatives that refer to themselves would all be followed to their ends.
    allErrors: !keywords.has('$ref'),
    ownProperties: true,
    code: { optimize: false }, // compiles in half the time
  });
  formats.default(ajv);
  ajv.addSchema(schema as object, 'answer');
  const validateRoot = ajv.getSchema('answer');
  if (!validateRoot) {
    throw new Error('The schema was not found under its own name.');
  }

  return {
    limited: UNBOUNDED.some((keyword) => keywords.has(keyword))
      ? createTimeLimit()
      : (work) => work(),
    validate: (value) => {
      if (validateRoot(value) !== true) {
        throw new InvalidOutput(describeErrors(validateRoot.errors ?? []));
      }
    },
    accepts: (path, value) => ajv.getSchema(`answer${toReference(path)}`)?.(value) === true,
  };
}

function describeErrors(errors: readonly ErrorObject[]): string {
  // An anyOf names every branch's errors and then itself: the first ones say more.
  const messages = [...new Set(errors.map(describeError))].slice(0, MAX_ERRORS).join('; ');
  return messages.length > MAX_MESSAGE_LENGTH
    ? `${messages.slice(0, MAX_MESSAGE_LENGTH)}…`
    : messages;
}

function describeError({ instancePath, keyword, params, message }: ErrorObject): string {
  const where = instancePath.slice(1) || 'the answer';
  switch (keyword) {
    case 'enum':
      return `${where} must be one of ${JSON.stringify(params.allowedValues).slice(1, -1)}`;
    case 'const':
      return `${where} must be ${JSON.stringify(params.allowedValue)}`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `${where} must not have the key ${JSON.stringify(params.additionalProperty ?? params.unevaluatedProperty)}`;
    case 'type':
      return `${where} must be ${[params.type].flat().join(' or ')}`;
    case 'required':
      return `${where} must have the key ${JSON.stringify(params.missingProperty)}`;
    default:
      return `${where} ${message ?? 'is not valid'}`;
  }
}
