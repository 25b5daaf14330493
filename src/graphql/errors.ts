import { GraphQLError } from 'graphql';
import type { ZodError } from 'zod';
import { AppError, BadUserInput, type InputIssue } from '../errors.ts';

/** An expected failure as GraphQL shows it: its message, its code, and where an input is wrong. */
export function presentError(error: AppError): GraphQLError {
  return new GraphQLError(error.message, {
    extensions: {
      code: error.code,
      ...(error instanceof BadUserInput ? { issues: error.issues } : {}),
    },
  });
}

/** Zod's issues, all at once, each with the path from the argument down. An issue may carry another code (too much at once). */
export function presentZodError(error: ZodError): GraphQLError {
  const issues: InputIssue[] = [];
  for (const issue of error.issues) {
    if (issue.code === 'custom' && issue.params?.code === 'PAYLOAD_TOO_LARGE') {
      return presentError(new AppError('PAYLOAD_TOO_LARGE', issue.message));
    }
    issues.push({ path: issue.path.map(String).join('.'), message: issue.message });
  }
  return presentError(new BadUserInput(issues));
}
