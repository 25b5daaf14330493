/** Limits on the cost of a query, and their errors. */
import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  getOperationAST,
  Kind,
} from 'graphql';
import { presentIssues } from './errors.ts';

/**
 * Each selected field costs 1, times the sizes of the pages that it stands in. 1,000 items with
 * every field of theirs, of all results, of their batch, its provider batches and its file cost
 * 297,000. That is without what takes a statement for each: the projection, the first request, the
 * sample, the sums of answers. A page of a list inside a page of a list costs more than anybody
 * needs.
 */
const maxComplexity = 300_000;
/** `depth` in levels, `breadth` in fields. */
export const costLimits = { complexity: maxComplexity, depth: 15, breadth: 500 };

interface Cost {
  complexity: number;
  depth: number;
  breadth: number;
}

const costly = new WeakSet<GraphQLError>();

/** The same error, which is known from now on for one of a query that costs too much. */
export function asTooCostly(error: GraphQLError): GraphQLError {
  costly.add(error);
  return error;
}

/** True where the error tells of a query that costs too much. */
export function isTooCostly(error: unknown): boolean {
  return error instanceof GraphQLError && costly.has(error);
}

/** The first limit that a cost is over, at the field that it is counted from. */
export function tooCostly({ complexity, depth, breadth }: Cost, path: string): GraphQLError {
  const message =
    depth > costLimits.depth
      ? `the query must be at most ${costLimits.depth} levels deep, not ${depth}`
      : breadth > costLimits.breadth
        ? `the query must select at most ${costLimits.breadth} fields, not ${breadth}`
        : `the query must cost at most ${costLimits.complexity}, not ${complexity}; ask for smaller pages, fewer fields or smaller schemas`;
  return asTooCostly(presentIssues([{ path, message }]));
}

/**
 * Error for a subscription that costs too much. Null when the subscription may start. Pothos would
 * report the cost at each event.
 */
export function costProblem(asked: ExecutionArgs): GraphQLError | null {
  const { schema, document, operationName, variableValues, contextValue } = asked;
  const operation = getOperationAST(document, operationName);
  if (!operation) return null;
  const alone: DocumentNode = {
    ...document,
    definitions: [
      operation,
      ...document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION),
    ],
  };
  let cost: Cost;
  try {
    cost = complexityFromQuery(alone, {
      schema,
      variables: (variableValues ?? {}) as Record<string, unknown>,
      ctx: contextValue as object,
    });
  } catch {
    return null; // variables of the wrong shape, as the execution will tell
  }
  const { complexity, depth, breadth } = cost;
  const fits =
    complexity <= costLimits.complexity &&
    depth <= costLimits.depth &&
    breadth <= costLimits.breadth;
  const [field] = operation.selectionSet.selections;
  return fits ? null : tooCostly(cost, field?.kind === Kind.FIELD ? field.name.value : '');
}
