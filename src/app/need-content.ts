import { AppError } from '../core/errors.ts';
import type { BatchRecord } from '../db/batches.ts';

/** Throws CONFLICT where the rows and answers of a batch were deleted; `purpose` needs them. */
export function needContent(
  { contentDeletedAt }: Pick<BatchRecord, 'contentDeletedAt'>,
  purpose: 'a retry' | 'an output',
): void {
  if (contentDeletedAt === null) return;
  throw new AppError(
    'CONFLICT',
    `The batch must still have its rows and answers for ${purpose}; they were deleted at ${contentDeletedAt.toISOString()}`,
  );
}
