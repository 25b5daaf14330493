/** The limits that LIMITS sets for owners. */

/** Limits of one owner. Null: without a limit. */
export interface Limits {
  /** Batches that are neither DRAFT nor ended. */
  activeBatches: number | null;
  /** Items started since 00:00 UTC. */
  itemsPerDay: number | null;
  /** Bytes of files and of inline items. */
  storageBytes: number | null;
  /** Requests of all faces, in each process. */
  requestsPerMinute: number | null;
  /** Model calls at once, in each process. */
  modelCalls: number | null;
  /** Ids of models; `*` at the end stands for any rest. */
  models: readonly string[] | null;
}

export interface LimitsByOwner {
  owners: ReadonlyMap<string, Limits>;
  /** Limits of every other owner; null without limits. */
  others: Limits | null;
}

/** Null where nothing limits the owner. */
export function limitsFor({ owners, others }: LimitsByOwner, owner: string): Limits | null {
  return owners.get(owner) ?? others;
}

/** True where one of the patterns names the model. */
export function namesModel(patterns: readonly string[], id: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern,
  );
}
