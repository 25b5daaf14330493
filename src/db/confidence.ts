/** The confidence of an answer: as it is stored, and as it is read of rows old and new. */
import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';
import { outputAsJson } from './output-json.ts';

/** A confidence as `results.confidence` takes it: a real has no room for less than a billionth. */
export function storedConfidence(confidence: number): number {
  return Math.round(confidence * 1e9) / 1e9;
}

/**
 * The confidence of a row `r` of `results` of a label batch, as a real; null where it has none.
 * Rows that are older than the column have it in their output alone. Compare it with a real: 0.95
 * as a real is less than 0.95 as a double.
 */
export function confidenceOf(sql: Sql): postgres.Fragment {
  return sql.unsafe(confidenceText);
}

/** The same as text of SQL. */
export const confidenceText = `coalesce(r.confidence, case when r.status = 'SUCCEEDED'
    then round((${outputAsJson} ->> 'confidence')::numeric, 9)::real end)`;
