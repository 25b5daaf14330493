import type { Database } from '../db/driver/client.ts';
import { beginIngest, renewIngest } from '../db/ingests.ts';

/** Time that the rows of an upload whose process died stay; three renewals are missed by then. */
const leaseMs = 60_000;
const renewMs = 20_000;

/** Others remove the rows, or have. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor() {
    super('the lease of an upload ran out before its end');
  }
}

/** An upload's right to its rows, renewed while it runs. */
export interface IngestLease {
  fileKey: bigint;
  /** Throws LeaseLost once the lease has run out. */
  check(): void;
  /** Stops renewing. */
  stop(): void;
}

/** Takes the key of a file to come. A renewal that fails is tried again while the lease runs. */
export async function takeIngestLease(db: Database): Promise<IngestLease> {
  const fileKey = await beginIngest(db, leaseMs);
  let lost = false;
  let renewedAt = performance.now();
  let renewing = false;

  async function renew(): Promise<void> {
    if (renewing) return;
    renewing = true;
    const startedAt = performance.now();
    try {
      if (await renewIngest(db, fileKey, leaseMs)) renewedAt = startedAt;
      else lost = true;
    } catch {
      // The lease has a time of its own; `check` looks at it.
    } finally {
      renewing = false;
    }
  }

  const timer = setInterval(() => void renew(), renewMs);
  timer.unref();
  return {
    fileKey,
    check() {
      if (lost || performance.now() - renewedAt > leaseMs) throw new LeaseLost();
    },
    stop: () => clearInterval(timer),
  };
}
