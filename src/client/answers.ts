/** Answers of the server that tell of a failure, as errors. */
import { errorOf, type Failure, type InputIssue, lost, WinnowError } from './errors.ts';

/** An error as GraphQL shows it. */
export interface GraphQLProblem {
  message: string;
  extensions?:
    | { code?: unknown; issues?: unknown; requestId?: unknown; [name: string]: unknown }
    | undefined;
}

/** An answer of GraphQL, or one event of a subscription. */
export interface GraphQLAnswer {
  data?: unknown;
  errors?: readonly GraphQLProblem[] | undefined;
}

/** The status that a code has on the routes, for errors that GraphQL answers with 200. */
const statuses: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: 400,
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  IDEMPOTENCY_CONFLICT: 409,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  TOO_MANY_REQUESTS: 429,
  INTERNAL_SERVER_ERROR: 500,
  PROVIDER_UNAVAILABLE: 503,
  DATABASE_UNAVAILABLE: 503,
  STORAGE_FULL: 507,
};

/** Codes of answers that are not Winnow's own, such as a proxy's. */
const codes: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  429: 'TOO_MANY_REQUESTS',
};

/** Characters of a foreign answer that its error quotes. */
const maxQuoted = 200;

/**
 * The data of an answer of GraphQL. Throws a WinnowError where it has errors, with all their
 * messages. `response` is what it came in, where it came in one of its own.
 */
export function dataOf<Data>({ data, errors }: GraphQLAnswer, response?: Response): Data {
  if (errors && errors.length > 0) throw problemsAsError(errors, response);
  if (data === undefined || data === null) {
    throw lost('The server answered without data: is the URL that of a Winnow server?');
  }
  return data as Data;
}

/** The errors of an answer as one: the first decides the code, each has its message. */
export function problemsAsError(
  problems: readonly GraphQLProblem[],
  response?: Response,
): WinnowError {
  const code = String(problems[0]?.extensions?.code ?? 'INTERNAL_SERVER_ERROR');
  return errorOf({
    code,
    message: problems.map(({ message }) => message).join('\n'),
    issues: problems.flatMap(({ extensions }) => issuesOf(extensions?.issues)),
    requestId: textOrNull(problems[0]?.extensions?.requestId),
    ...factsOf(response),
    status: response && response.status >= 400 ? response.status : (statuses[code] ?? null),
  });
}

/** The error of an answer with an HTTP status that tells of a failure. Reads its body. */
export async function refusal(response: Response): Promise<WinnowError> {
  const text = await response.text().catch(() => '');
  const body = parseBody(text);
  if (Array.isArray(body?.errors)) return problemsAsError(body.errors, response);
  const { status } = response;
  if (typeof body?.error === 'object' && body.error !== null) {
    const { code, message, issues } = body.error as Record<string, unknown>;
    if (typeof code === 'string') {
      return errorOf({
        code,
        message: String(message),
        issues: issuesOf(issues),
        ...factsOf(response),
      });
    }
  }
  const quoted = text.trim().slice(0, maxQuoted);
  const message = `The server answered with HTTP ${status}${quoted === '' ? '' : `: ${quoted}`}`;
  const code = codes[status] ?? (isGateway(status) ? 'CONNECTION_LOST' : 'INTERNAL_SERVER_ERROR');
  return errorOf({ code, message, ...factsOf(response) });
}

/** True where the same may go better in a moment. */
export function mayPass(error: unknown): error is WinnowError {
  if (!(error instanceof WinnowError)) return false;
  const { code, status } = error;
  return code === 'CONNECTION_LOST' || status === 429 || (status !== null && isGateway(status));
}

function isGateway(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** JSON, or the first event of a stream. */
function parseBody(text: string): { errors?: unknown; error?: unknown } | null {
  const json = /^data: (\{.*\})$/m.exec(text)?.[1] ?? text;
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === 'object' ? parsed : null;
  } catch {
    return null;
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function factsOf(response?: Response): Pick<Failure, 'status' | 'requestId' | 'retryAfterMs'> {
  if (!response) return {};
  return {
    status: response.status,
    requestId: response.headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  };
}

/** Seconds or a date, as HTTP has them. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const milliseconds = /^\s*\d/.test(header)
    ? Number.parseFloat(header) * 1_000
    : Date.parse(header) - Date.now();
  return Number.isNaN(milliseconds) ? null : Math.max(0, milliseconds);
}

function issuesOf(issues: unknown): InputIssue[] {
  return Array.isArray(issues)
    ? issues.map(({ path, message }) => ({ path: String(path), message: String(message) }))
    : [];
}
