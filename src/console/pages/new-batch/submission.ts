/** The input of submitBatch, as far as the form knows it. */

export const operationNames = ['label', 'extract', 'summarize', 'enrich', 'run', 'chat'] as const;

export type OperationName = (typeof operationNames)[number];

/** Options of an operation, as GraphQL names them. */
export type Options = Record<string, unknown>;

export type OperationInput = Partial<Record<OperationName, Options>>;

export interface Submission {
  source: { fileId: string } | { texts: string[] };
  operation: OperationInput;
  contentField?: string;
  customIdField?: string;
  execution?: 'PROVIDER_BATCH';
  maxCostUsd?: number;
  preview?: number;
  deduplicate?: false;
  webhookUrl?: string;
  name?: string;
  expiresInSeconds?: number;
  autoStart?: false;
}
