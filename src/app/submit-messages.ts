/** A batch of complete requests that are the body of the submit, and never held at once. */
import { z } from 'zod';
import { BadUserInput } from '../core/errors.ts';
import type { Copy } from '../db/driver/copy.ts';
import { ingestRows } from '../files/ingest.ts';
import { readLimits } from '../files/read/limits.ts';
import { createMessageRequestsReader } from '../files/read/message-requests.ts';
import { withinStorage } from '../files/upload.ts';
import { findOperation } from '../operations/index.ts';
import type { Caller } from './caller.ts';
import { batchFields } from './inputs.ts';
import { storedSource } from './source.ts';
import { submitChecked } from './submit.ts';

export const maxMessageRequests = 100_000;

/**
 * Submits the requests of a body `{"requests": [{custom_id, params}, …]}`, and returns the batch's
 * id. Throws UploadRefused for a body that is refused as a whole, and what `source` throws: then
 * nothing is stored.
 */
export async function submitMessages(
  caller: Caller & { copy: Copy },
  { source, idempotencyKey }: { source: AsyncIterable<Uint8Array>; idempotencyKey: string | null },
): Promise<string> {
  const fields = checkFields({ idempotencyKey });
  const { db, copy, owner } = caller;
  const limits = { ...readLimits, rows: maxMessageRequests };
  const ownerLimits = caller.limitsOf(owner);
  const bytes = await withinStorage({ db, owner, ownerLimits }, source);
  const rows = await ingestRows(
    { db, copy, source: bytes },
    { createReader: (sink) => createMessageRequestsReader(sink, limits) },
  );
  try {
    rows.checkLease();
    const requests = {
      ...rows.read,
      fileKey: rows.fileKey,
      format: 'ANTHROPIC_JSONL' as const,
      face: 'anthropic' as const,
    };
    return await submitChecked(caller, {
      operation: 'chat',
      options: findOperation('chat')?.params.parse({}) as Record<string, unknown>,
      optionsPath: '',
      source: await storedSource(requests, caller),
      sourcePath: 'requests',
      fields,
      fieldsPath: '',
    });
  } finally {
    // Of what was not entered: something went wrong, or the key has its batch already.
    await rows.discard().catch(() => undefined);
  }
}

/** Throws BadUserInput. */
function checkFields(given: { idempotencyKey: string | null }) {
  const { idempotencyKey } = batchFields;
  const checked = z.object({ idempotencyKey }).safeParse(given);
  if (checked.success) return checked.data;
  throw new BadUserInput(
    checked.error.issues.map(({ message }) => ({ path: 'Idempotency-Key', message })),
  );
}
