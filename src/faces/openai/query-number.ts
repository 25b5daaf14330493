import { badField } from './bad-field.ts';

/** A whole number of the query; null where it is absent. Throws RouteError 400 for any other. */
export function queryNumber(
  query: URLSearchParams,
  name: string,
  { min, max }: { min: number; max: number },
): number | null {
  const given = query.get(name);
  if (given === null) return null;
  const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw badField(name, `${name} must be a whole number from ${min} to ${max}`);
}
