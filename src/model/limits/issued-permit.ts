/** The permit of one call, as a gate gives it out. */
import type { Permit } from './permit.ts';
import type { RateHeaders } from './rate-headers.ts';
import type { Spending } from './rates.ts';

/** The gate's memory of a call that has its permit. */
interface Call {
  generation: number;
  isProbe: boolean;
  spending: Spending;
}

/** The part of its gate that a permit uses. */
export interface Issuer {
  now(): number;
  /** Called once a permit. */
  ended(permit: IssuedPermit, outcome: Outcome, reason: ReleaseReason): void;
}

/** A class, because closures for each of a million calls cost more than their work. */
export class IssuedPermit implements Permit, Call {
  requests = 0;
  readonly generation: number;
  readonly isProbe: boolean;
  readonly spending: Spending;
  private readonly issuer: Issuer;
  private released = false;

  constructor(issuer: Issuer, { generation, isProbe, spending }: Call) {
    this.issuer = issuer;
    this.generation = generation;
    this.isProbe = isProbe;
    this.spending = spending;
  }

  begin(tokens: () => number): void {
    this.requests += 1;
    this.spending.begin(this.issuer.now(), tokens);
  }

  observe(headers: RateHeaders): void {
    this.spending.observe(this.issuer.now(), headers);
  }

  settle(tokens: number): void {
    this.spending.settle(this.issuer.now(), tokens);
  }

  release(outcome: Outcome, reason: ReleaseReason = noReason): void {
    // A second release is ignored: a `finally` may follow an explicit release, and must not free
    // someone else's place.
    if (this.released) return;
    this.released = true;
    this.issuer.ended(this, outcome, reason);
  }
}

export type Outcome = Parameters<Permit['release']>[0];
export type ReleaseReason = NonNullable<Parameters<Permit['release']>[1]>;
const noReason: ReleaseReason = {};
