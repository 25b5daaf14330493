import { GraphQLError } from 'graphql';
import { ZodError } from 'zod';
import {
  AppError,
  BadUserInput,
  detailsOf,
  type InputIssue,
  PageTooLarge,
  retryAfterSeconds,
  statusOf,
} from '../../core/errors.ts';

/** More issues would not help the caller, and bad input must not make large answers. */
export const maxIssues = 50;

/** An expected failure as GraphQL shows it: its message, its code, and where an input is wrong. */
export function presentError(error: AppError): GraphQLError {
  const seconds = retryAfterSeconds(error.code);
  return new GraphQLError(error.message, {
    extensions: {
      code: error.code,
      ...(error instanceof BadUserInput ? { issues: error.issues } : {}),
      ...detailsOf(error),
      ...(error instanceof PageTooLarge ? { cursor: error.cursor } : {}),
      // What stands in the way of any request is told to proxies and clients that read no bodies,
      // too.
      ...(seconds === null
        ? {}
        : { http: { status: statusOf(error.code), headers: { 'retry-after': String(seconds) } } }),
    },
  });
}

/** The first of the issues as one failure. */
export function presentIssues(issues: readonly InputIssue[]): GraphQLError {
  return presentError(new BadUserInput(issues.slice(0, maxIssues)));
}

/**
 * All of Zod's issues at once, each with the path from the argument down. An issue may carry
 * another code (PAYLOAD_TOO_LARGE). Any other error of a validator is a bug, and stays one.
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

/** `status` is for every client of a bad request, `spec` for those of graphql-response+json. */
export function badRequest(message: string, status = 400): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status } } });
}
