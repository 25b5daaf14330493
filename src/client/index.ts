/** Client of Winnow: label, extract, summarize, enrich and run over datasets. */
export { Batch, type ResumeOptions, type RetryOptions } from './batch.ts';
export type * from './batch-types.ts';
export type { Batches, BatchListOptions } from './batches.ts';
export {
  Aborted,
  BadUserInput,
  BatchFailed,
  BatchPaused,
  BudgetExceeded,
  Conflict,
  ConnectionLost,
  Forbidden,
  type InputIssue,
  LimitExceeded,
  NotFound,
  PayloadTooLarge,
  ProviderUnavailable,
  RateLimited,
  Unauthenticated,
  Unavailable,
  WinnowError,
} from './errors.ts';
export type { Files, UploadOptions } from './files.ts';
export type { ItemInclude, ItemsOptions, ResultStream, ResultsOptions } from './items.ts';
export type * from './options.ts';
export type { AnswerOptions, OutputFormat, OutputOptions } from './output.ts';
export type { QuoteOptions } from './quote.ts';
export type * from './quote-types.ts';
export type * from './result-types.ts';
export type { AnswerSchema, DataOf, EnrichData, EnrichField } from './schema-types.ts';
export type { WinnowOptions } from './settings.ts';
export type { LabelOutput, Source, SubmitBatch, SubmitOptions } from './submit-types.ts';
export type * from './subscribe-types.ts';
export type * from './types.ts';
export type { UploadProgress } from './upload-body.ts';
export type { UploadSource } from './upload-source.ts';
export { type ParseOptions, Winnow } from './winnow.ts';
