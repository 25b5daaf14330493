import {
  coerceInputValue,
  type ExecutionArgs,
  type GraphQLError,
  isInputType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { BadUserInput, type InputIssue } from '../errors.ts';
import { presentError } from './errors.ts';

const maxIssues = 50;

/**
 * Variables of the wrong shape, with a path for each problem; null when they fit. GraphQL itself gives these errors no code
 * and no path. Only asked once an execution has failed, so that good requests do not pay for it.
 */
export function describeVariableErrors(args: ExecutionArgs): GraphQLError | null {
  const issues: InputIssue[] = [];
  for (const definition of findOperation(args)?.variableDefinitions ?? []) {
    const type = typeFromAST(args.schema, definition.type);
    if (!isInputType(type)) continue;
    const name = definition.variable.name.value;
    const value = args.variableValues?.[name];
    if (
      value === undefined &&
      (definition.defaultValue || definition.type.kind !== Kind.NON_NULL_TYPE)
    )
      continue;
    coerceInputValue(value ?? null, type, (path, _value, error) => {
      if (issues.length < maxIssues) {
        issues.push({ path: [name, ...path].join('.'), message: error.message });
      }
    });
  }
  if (issues.length === 0) return null;
  const error = presentError(new BadUserInput(issues));
  // `spec`: 400 for clients that accept application/graphql-response+json, 200 for the older ones.
  error.extensions.http = { status: 400, spec: true };
  return error;
}

function findOperation({
  document,
  operationName,
}: ExecutionArgs): OperationDefinitionNode | undefined {
  return document.definitions.find(
    (definition): definition is OperationDefinitionNode =>
      definition.kind === Kind.OPERATION_DEFINITION &&
      (!operationName || definition.name?.value === operationName),
  );
}
