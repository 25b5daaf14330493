/** Errors in OpenAI's shape. */

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

export interface ApiErrorDetails {
  status?: number;
  type?: string;
  param?: string | null;
  code?: string | null;
  headers?: Record<string, string>;
}

/** An answer other than 200, on purpose. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: ErrorBody;

  constructor(message: string, details: ApiErrorDetails = {}) {
    super(message);
    const { status = 400, type = 'invalid_request_error', param = null, code = null } = details;
    this.status = status;
    this.headers = details.headers ?? {};
    this.body = { error: { message, type, param, code } };
  }
}

export function missingParameter(param: string): ApiError {
  return new ApiError(`Missing required parameter: '${param}'.`, {
    param,
    code: 'missing_required_parameter',
  });
}
