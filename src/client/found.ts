import { NotFound } from './errors.ts';

/** The answer of a query. Throws NotFound for null, which queries answer for an unknown id. */
export function found<Value>(value: Value | null, kind: string, id: string): Value {
  if (value !== null) return value;
  throw new NotFound({
    code: 'NOT_FOUND',
    message: `There is no ${kind} with the id ${id}`,
    status: 404,
  });
}
