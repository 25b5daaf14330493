import { RouteError } from '../http/route-error.ts';

/** A RouteError 400 that names the field, in the codes of OpenAI's API. */
export function badField(
  param: string,
  message: string,
  code:
    | 'invalid_value'
    | 'invalid_type'
    | 'missing_required_parameter'
    | 'unsupported_value' = 'invalid_value',
): RouteError {
  return new RouteError(400, 'BAD_USER_INPUT', message, { details: { param, code } });
}

/** The same for a field that is not there. */
export function missingField(param: string, message: string): RouteError {
  return badField(param, message, 'missing_required_parameter');
}
