import type { Database } from '../db/driver/client.ts';
import { beginIngest, renewIngest } from '../db/ingests.ts';

/** How long the rows of an upload whose process died stay; three renewals are missed by then. */
const leaseMs = 60_000;
const renewMs = 20_000;

/** An upload's right to its rows, renewed while it runs. */
export interface IngestLease {
  fileKey: bigint;
  /** Throws once the lease has run out: others remove the rows. */
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
      if (lost || performance.now() - renewedAt > leaseMs) {
        throw new Error('the lease of an upload ran out before its end');
      }
    },
    stop: () => clearInterval(timer),
  };
}
