import { GraphQLError } from 'graphql';
import { ZodError } from 'zod';
import { AppError, BadUserInput, type InputIssue } from '../errors.ts';
import type { Log } from '../log.ts';

/** More would not help whoever mends the input, and bad input must not make large answers. */
const maxIssues = 50;

/** An expected failure as GraphQL shows it: its message, its code, and where an input is wrong. */
export function presentError(error: AppError): GraphQLError {
  return new GraphQLError(error.message, {
    extensions: {
      code: error.code,
      ...(error instanceof BadUserInput ? { issues: error.issues } : {}),
    },
  });
}

/** The first of the issues as one failure. */
export function presentIssues(issues: readonly InputIssue[]): GraphQLError {
  return presentError(new BadUserInput(issues.slice(0, maxIssues)));
}

/**
 * Zod's issues, all at once, each with the path from the argument down. An issue may carry another code (too much at once).
 * Whatever else a validator throws is a bug, and stays one.
 */
export function presentZodError(error: unknown): GraphQLError {
  if (!(error instanceof ZodError)) throw error;
  for (const issue of error.issues) {
    if (issue.code === 'custom' && issue.params?.code === 'PAYLOAD_TOO_LARGE') {
      return presentError(new AppError('PAYLOAD_TOO_LARGE', issue.message));
    }
  }
  return presentIssues(
    error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
  );
}

/** A request that is no GraphQL request at all. `status` is for every client, `spec` for those that know graphql-response+json. */
export function badRequest(message: string, status = 400): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status } } });
}

/** The libraries' codes in our words; what is not named here is ours, or GraphQL's own. */
const translatedCodes = new Map<unknown, string>([
  ['OPERATION_RESOLUTION_FAILURE', 'BAD_REQUEST'],
  ['REQUEST_ENTITY_TOO_LARGE', 'PAYLOAD_TOO_LARGE'],
]);

/** Makes every error fit to be shown: expected failures as they are, with a code; everything else is logged, and shown to nobody. */
export function createMask(log: Log): (error: unknown) => GraphQLError {
  return (error) => {
    const original = error instanceof GraphQLError ? originalOf(error) : error;
    const position =
      error instanceof GraphQLError
        ? { nodes: error.nodes, source: error.source, positions: error.positions, path: error.path }
        : {};
    if (original instanceof AppError) {
      const { message, extensions } = presentError(original);
      return new GraphQLError(message, { ...position, extensions });
    }
    if (original instanceof GraphQLError) {
      const { code, originalError, ...extensions } = original.extensions;
      const translated = translatedCodes.get(code);
      if (code !== undefined && originalError === undefined && translated === undefined) {
        return error as GraphQLError;
      }
      return new GraphQLError(original.message, {
        ...position,
        extensions:
          code === undefined
            ? { ...extensions, code: 'BAD_USER_INPUT', issues: [issueOf(error as GraphQLError)] }
            : { ...extensions, code: translated ?? code },
      });
    }
    log.error({ err: original }, 'a resolver failed in an unforeseen way');
    return new GraphQLError('Something failed on the server; its log says what', {
      ...position,
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
  };
}

function originalOf(error: GraphQLError): unknown {
  let inner: unknown = error;
  while (inner instanceof GraphQLError && inner.originalError) inner = inner.originalError;
  return inner;
}

/** GraphQL's own complaint about an argument names it in words; the field is what can be pointed to. */
function issueOf({ path, message }: GraphQLError): InputIssue {
  return { path: (path ?? []).join('.'), message };
}
