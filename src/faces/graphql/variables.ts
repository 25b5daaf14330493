import {
  type ExecutionArgs,
  type GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  getOperationAST,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  typeFromAST,
} from 'graphql';
import type { InputIssue } from '../../core/errors.ts';
import { presentIssues } from './errors.ts';

/**
 * Error for variables of the wrong shape, with a path for each problem. Null when the variables
 * fit. GraphQL's own errors have neither code nor path, and quote the values. Called after a failed
 * execution only, so that good requests do not pay for the check.
 */
export function describeVariableErrors({
  schema,
  document,
  operationName,
  variableValues,
}: ExecutionArgs): GraphQLError | null {
  const issues: InputIssue[] = [];
  const values = variableValues ?? {};
  const operation = getOperationAST(document, operationName);
  for (const { variable, type: typeNode, defaultValue } of operation?.variableDefinitions ?? []) {
    const type = typeFromAST(schema, typeNode);
    const name = variable.name.value;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (!isInputType(type) || (value === undefined && defaultValue)) continue;
    collectIssues(value, type, name, issues);
  }
  if (issues.length === 0) return null;
  const error = presentIssues(issues);
  // `spec`: 400 for clients that accept application/graphql-response+json, 200 for the older ones.
  error.extensions.http = { status: 400, spec: true };
  return error;
}

function collectIssues(
  value: unknown,
  type: GraphQLInputType,
  path: string,
  issues: InputIssue[],
): void {
  if (value === undefined || value === null) {
    if (isNonNullType(type)) {
      issues.push({ path, message: value === null ? 'must not be null' : 'is required' });
    }
  } else if (isNonNullType(type)) {
    collectIssues(value, type.ofType, path, issues);
  } else if (isListType(type)) {
    // One value stands for a list of one.
    const entries = Array.isArray(value) ? [...value.entries()] : [[null, value] as const];
    for (const [index, entry] of entries) {
      const at = index === null ? path : `${path}.${index}`;
      collectIssues(entry ?? null, type.ofType, at, issues);
    }
  } else if (isInputObjectType(type)) {
    collectObjectIssues(value, type, path, issues);
  } else {
    try {
      type.parseValue(value);
    } catch (error) {
      const message = isEnumType(type)
        ? `must be one of ${type
            .getValues()
            .map(({ name }) => name)
            .join(', ')}`
        : (needs.get(type.name) ?? (error as Error).message);
      issues.push({ path, message });
    }
  }
}

function collectObjectIssues(
  value: unknown,
  type: GraphQLInputObjectType,
  path: string,
  issues: InputIssue[],
): void {
  if (typeof value !== 'object' || Array.isArray(value)) {
    issues.push({ path, message: `must be an object of type ${type.name}` });
    return;
  }
  const given = value as Record<string, unknown>;
  const fields = type.getFields();
  for (const [name, field] of Object.entries(fields)) {
    const at = `${path}.${name}`;
    if (Object.hasOwn(given, name) && given[name] !== undefined) {
      collectIssues(given[name], field.type, at, issues);
    } else if (isRequiredInputField(field)) {
      issues.push({ path: at, message: 'is required' });
    }
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(fields, name)) {
      issues.push({
        path: `${path}.${name}`,
        message: `must be absent: ${type.name} has no such field`,
      });
    }
  }
  if (type.isOneOf && (Object.keys(given).length !== 1 || Object.values(given)[0] === null)) {
    issues.push({ path, message: `must have exactly one of ${Object.keys(fields).join(', ')}` });
  }
}

/** Messages for GraphQL's scalars. GraphQL's own quote the value, which may be private. */
const needs = new Map([
  ['String', 'must be a string'],
  ['ID', 'must be a string or a whole number'],
  ['Int', 'must be a whole number of 32 bits'],
  ['Float', 'must be a number'],
  ['Boolean', 'must be true or false'],
]);
