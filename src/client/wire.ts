/**
 * Types of what the client's documents send and what they are answered with. Printed by
 * `npm run schema`; do not edit.
 */

export interface Operations {
  Label: {
    variables: {
      items: readonly ItemInput[];
      options: LabelOptions;
    };
    data: {
      label: {
        model: string;
        usage: UsageFields;
        results: {
          index: number;
          customId: string;
          error: {
            code: ItemErrorCode;
            message: string;
          } | null;
          rejectedAnswer: string | null;
          usage: UsageFields | null;
          label: string | null;
          labels: string[] | null;
          confidence: number | null;
          confidenceMethod: ConfidenceMethod | null;
        }[];
      };
    };
  };
  Extract: {
    variables: {
      items: readonly ItemInput[];
      options: ExtractOptions;
    };
    data: {
      extract: {
        model: string;
        usage: UsageFields;
        results: {
          index: number;
          customId: string;
          error: {
            code: ItemErrorCode;
            message: string;
          } | null;
          rejectedAnswer: string | null;
          usage: UsageFields | null;
          data: unknown;
        }[];
      };
    };
  };
  Summarize: {
    variables: {
      items: readonly ItemInput[];
      options?: SummarizeOptions | null | undefined;
    };
    data: {
      summarize: {
        model: string;
        usage: UsageFields;
        results: {
          index: number;
          customId: string;
          error: {
            code: ItemErrorCode;
            message: string;
          } | null;
          rejectedAnswer: string | null;
          usage: UsageFields | null;
          summary: string | null;
          data: unknown;
        }[];
      };
    };
  };
  Enrich: {
    variables: {
      items: readonly ItemInput[];
      options: EnrichOptions;
    };
    data: {
      enrich: {
        model: string;
        usage: UsageFields;
        results: {
          index: number;
          customId: string;
          error: {
            code: ItemErrorCode;
            message: string;
          } | null;
          rejectedAnswer: string | null;
          usage: UsageFields | null;
          data: unknown;
        }[];
      };
    };
  };
  Run: {
    variables: {
      items: readonly ItemInput[];
      options: RunOptions;
    };
    data: {
      run: {
        model: string;
        usage: UsageFields;
        results: {
          index: number;
          customId: string;
          error: {
            code: ItemErrorCode;
            message: string;
          } | null;
          rejectedAnswer: string | null;
          usage: UsageFields | null;
          text: string | null;
          data: unknown;
        }[];
      };
    };
  };
  SubmitBatch: {
    variables: {
      input: SubmitBatchInput;
    };
    data: {
      submitBatch: {
        batch: BatchFields;
      };
    };
  };
  Batch: {
    variables: {
      id: string;
    };
    data: {
      batch: BatchFields | null;
    };
  };
  Batches: {
    variables: {
      filter?: BatchFilter | null | undefined;
      first?: number | null | undefined;
      after?: string | null | undefined;
    };
    data: {
      batches: {
        edges: {
          entry: BatchFields;
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  BatchProjection: {
    variables: {
      id: string;
    };
    data: {
      batch: {
        projection: ProjectionFields | null;
      } | null;
    };
  };
  CancelBatch: {
    variables: {
      id: string;
    };
    data: {
      cancelBatch: {
        batch: BatchFields;
      };
    };
  };
  RetryBatch: {
    variables: {
      id: string;
      errorCodes?: readonly ItemErrorCode[] | null | undefined;
      customIds?: readonly string[] | null | undefined;
    };
    data: {
      retryBatch: {
        retriedItems: number;
        batch: BatchFields;
      };
    };
  };
  StartBatch: {
    variables: {
      id: string;
    };
    data: {
      startBatch: {
        batch: BatchFields;
      };
    };
  };
  PauseBatch: {
    variables: {
      id: string;
    };
    data: {
      pauseBatch: {
        batch: BatchFields;
      };
    };
  };
  ResumeBatch: {
    variables: {
      id: string;
      maxCostUsd?: number | null | undefined;
    };
    data: {
      resumeBatch: {
        batch: BatchFields;
      };
    };
  };
  DeleteBatch: {
    variables: {
      id: string;
    };
    data: {
      deleteBatch: {
        deletedId: string;
      };
    };
  };
  BatchProgress: {
    variables: {
      id: string;
    };
    data: {
      batchProgress: BatchFields;
    };
  };
  BatchResults: {
    variables: {
      id: string;
      after?: string | null | undefined;
      content: boolean;
      metadata: boolean;
      request: boolean;
    };
    data: {
      batchResults: {
        cursor: string;
        items: ItemFields[];
      };
    };
  };
  BatchItems: {
    variables: {
      id: string;
      first?: number | null | undefined;
      after?: string | null | undefined;
      status?: readonly ItemStatus[] | null | undefined;
      errorCodes?: readonly ItemErrorCode[] | null | undefined;
      customIds?: readonly string[] | null | undefined;
      labels?: readonly string[] | null | undefined;
      confidenceBelow?: number | null | undefined;
      confidenceFrom?: number | null | undefined;
      search?: string | null | undefined;
      orderBy?: ItemOrder | null | undefined;
      content: boolean;
      metadata: boolean;
      request: boolean;
    };
    data: {
      batch: {
        items: {
          edges: {
            entry: ItemFields;
          }[];
          pageInfo: {
            hasNextPage: boolean;
            endCursor: string | null;
          };
        };
      } | null;
    };
  };
  File: {
    variables: {
      id: string;
    };
    data: {
      file: FileFields | null;
    };
  };
  Files: {
    variables: {
      first?: number | null | undefined;
      after?: string | null | undefined;
    };
    data: {
      files: {
        edges: {
          entry: FileFields;
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
  DeleteFile: {
    variables: {
      id: string;
    };
    data: {
      deleteFile: {
        deletedId: string;
      };
    };
  };
  Models: {
    variables: Record<string, never>;
    data: {
      service: {
        models: {
          id: string;
          provider: string;
          inputPrice: number | null;
          cachedInputPrice: number | null;
          cacheWritePrice: number | null;
          outputPrice: number | null;
          priceSource: PriceSource | null;
          contextTokens: number | null;
          providerBatch: boolean | null;
        }[];
      };
    };
  };
  Quote: {
    variables: {
      input: QuoteInput;
    };
    data: {
      quote: {
        items: number;
        sampledItems: number;
        unaskableItems: number;
        identicalItems: number | null;
        models: QuoteFields[];
      };
    };
  };
  Spending: {
    variables: {
      month?: string | null | undefined;
    };
    data: {
      spending: {
        month: string;
        budgetUsd: number | null;
        remainingUsd: number | null;
        usage: UsageFields & {
          cacheSavedUsd: number | null;
        };
        byModel: {
          model: string;
          execution: Execution;
          usage: UsageFields & {
            cacheSavedUsd: number | null;
          };
        }[];
      };
    };
  };
  ParseResults: {
    variables: {
      fileId: string;
      responseSchema?: Readonly<Record<string, unknown>> | null | undefined;
      status?: readonly ItemStatus[] | null | undefined;
      first?: number | null | undefined;
      after?: string | null | undefined;
    };
    data: {
      parseResults: {
        edges: {
          entry: {
            customId: string;
            status: ItemStatus;
            output: unknown;
            error: {
              code: ItemErrorCode;
              message: string;
            } | null;
            rejectedAnswer: string | null;
          };
        }[];
        pageInfo: {
          hasNextPage: boolean;
          endCursor: string | null;
        };
      };
    };
  };
}

export interface UsageFields {
  requests: number;
  inputTokens: number;
  cachedInputTokens: number;
  cacheWriteTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  unmeteredRequests: number;
  costUsd: number | null;
}

export interface BatchFields {
  id: string;
  name: string | null;
  status: BatchStatus;
  operation: Operation;
  model: string;
  execution: Execution;
  metadata: Readonly<Record<string, unknown>> | null;
  progress: number;
  counts: {
    total: number;
    pending: number;
    processing: number;
    succeeded: number;
    failed: number;
    cancelled: number;
    expired: number;
  };
  usage: UsageFields & {
    cacheSavedUsd: number | null;
  };
  resentRequests: number;
  reused: {
    identicalRows: number | null;
    savedUsd: number | null;
  } | null;
  error: string | null;
  errorCode: BatchErrorCode | null;
  errorSummary: {
    code: ItemErrorCode;
    count: number;
    message: string;
  }[];
  itemsPerSecond: number | null;
  estimatedCompletionAt: string | null;
  waiting: {
    reason: string;
    since: string | null;
    until: string | null;
  } | null;
  pause: {
    reason: PauseReason;
    message: string;
    since: string;
    resumesAt: string | null;
  } | null;
  quote: QuoteFields | null;
  previewItems: number | null;
  maxCostUsd: number | null;
  rescue: boolean;
  rescuedAt: string | null;
  webhookUrl: string | null;
  createdAt: string;
  startedAt: string | null;
  completedAt: string | null;
  cancelInitiatedAt: string | null;
  expiresAt: string;
}

export interface QuoteFields {
  model: string;
  inputTokens: EstimateFields;
  outputTokens: EstimateFields;
  outputBasis: EstimateBasis;
  prefixTokens: number;
  tokenizerExact: boolean;
  tooLongItems: number | null;
  liveUsd: EstimateFields | null;
  liveCachedUsd: EstimateFields | null;
  providerBatchUsd: EstimateFields | null;
  caveats: string[];
}

export interface EstimateFields {
  expected: number;
  low: number;
  high: number;
}

export interface ProjectionFields {
  answers: number;
  succeeded: number;
  costUsd: EstimateFields | null;
  liveUsd: EstimateFields | null;
  providerBatchUsd: EstimateFields | null;
  liveSeconds: EstimateFields | null;
}

export interface ItemFields {
  index: number;
  row: number | null;
  customId: string;
  status: ItemStatus;
  output: unknown;
  error: {
    code: ItemErrorCode;
    message: string;
  } | null;
  rejectedAnswer: string | null;
  usage: UsageFields | null;
  cached: boolean;
  attempts: number;
  content?: string;
  metadata?: Readonly<Record<string, unknown>> | null;
  request?: Readonly<Record<string, unknown>> | null;
}

export interface FileFields {
  id: string;
  name: string;
  format: FileFormat;
  sizeBytes: number;
  itemCount: number;
  columns: string[];
  contentField: string | null;
  customIdField: string | null;
  rejectedCount: number;
  rejections: {
    row: number;
    reason: string;
  }[];
  blankCount: number;
  encoding: string | null;
  warnings: string[];
  createdAt: string;
}

export type BatchErrorCode =
  | 'DUPLICATE_CUSTOM_ID'
  | 'INTERNAL'
  | 'INVALID_INPUT_FILE'
  | 'INVALID_KEY'
  | 'PROVIDER_REJECTED_FILE'
  | 'QUOTA_EXHAUSTED'
  | 'UNKNOWN_MODEL';

export interface BatchFilter {
  createdAfter?: string | null | undefined;
  createdBefore?: string | null | undefined;
  fileId?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
  name?: string | null | undefined;
  operation?: readonly Operation[] | null | undefined;
  status?: readonly BatchStatus[] | null | undefined;
}

export type BatchStatus =
  | 'CANCELLED'
  | 'CANCELLING'
  | 'COMPLETED'
  | 'DRAFT'
  | 'EXPIRED'
  | 'FAILED'
  | 'PAUSED'
  | 'PROCESSING'
  | 'QUEUED';

export interface ChatOptions {
  extraBody?: Readonly<Record<string, unknown>> | null | undefined;
  maxOutputTokens?: number | null | undefined;
  model?: string | null | undefined;
  reasoningEffort?: string | null | undefined;
  responseSchema?: Readonly<Record<string, unknown>> | null | undefined;
  seed?: number | null | undefined;
  temperature?: number | null | undefined;
  topP?: number | null | undefined;
}

export type ConfidenceMethod =
  | 'AGREEMENT'
  | 'LOGPROBS'
  | 'MODEL_REPORTED';

export interface EnrichExampleInput {
  content: string;
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
  output: Readonly<Record<string, unknown>>;
}

export interface EnrichFieldInput {
  description?: string | null | undefined;
  examples?: readonly unknown[] | null | undefined;
  name: string;
  type?: EnrichFieldType | null | undefined;
  validValues?: readonly string[] | null | undefined;
}

export type EnrichFieldType =
  | 'BOOLEAN'
  | 'CATEGORICAL'
  | 'DATE'
  | 'LIST'
  | 'NUMERIC'
  | 'TEXT';

export interface EnrichOptions {
  examples?: readonly EnrichExampleInput[] | null | undefined;
  extraBody?: Readonly<Record<string, unknown>> | null | undefined;
  fields: readonly EnrichFieldInput[];
  includeContext?: boolean | null | undefined;
  maxOutputTokens?: number | null | undefined;
  model?: string | null | undefined;
  reasoningEffort?: string | null | undefined;
  referenceDate?: string | null | undefined;
  runtimeCategories?: Readonly<Record<string, unknown>> | null | undefined;
  seed?: number | null | undefined;
  systemPrompt?: string | null | undefined;
  temperature?: number | null | undefined;
  topP?: number | null | undefined;
  userPromptTemplate?: string | null | undefined;
}

export type EstimateBasis =
  | 'FIXED'
  | 'GUESSED'
  | 'HISTORY'
  | 'PREVIEW';

export type Execution =
  | 'LIVE'
  | 'PROVIDER_BATCH';

export interface ExtractExampleInput {
  content: string;
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
  output: Readonly<Record<string, unknown>>;
}

export interface ExtractOptions {
  examples?: readonly ExtractExampleInput[] | null | undefined;
  extraBody?: Readonly<Record<string, unknown>> | null | undefined;
  includeContext?: boolean | null | undefined;
  instructions?: string | null | undefined;
  maxOutputTokens?: number | null | undefined;
  model?: string | null | undefined;
  reasoningEffort?: string | null | undefined;
  referenceDate?: string | null | undefined;
  schema?: Readonly<Record<string, unknown>> | null | undefined;
  seed?: number | null | undefined;
  systemPrompt?: string | null | undefined;
  temperature?: number | null | undefined;
  topP?: number | null | undefined;
  userPromptTemplate?: string | null | undefined;
}

export type FileFormat =
  | 'ANTHROPIC_JSONL'
  | 'CSV'
  | 'JSON'
  | 'JSONL'
  | 'OPENAI_JSONL'
  | 'OPENAI_RESULTS'
  | 'TEXT';

export type ItemErrorCode =
  | 'CONTENT_FILTERED'
  | 'CONTEXT_TOO_LONG'
  | 'EMPTY_CONTENT'
  | 'INTERNAL'
  | 'INVALID_OUTPUT'
  | 'INVALID_REQUEST'
  | 'PROVIDER_ERROR'
  | 'RATE_LIMITED'
  | 'REFUSED'
  | 'TEMPLATE_FIELD_MISSING'
  | 'TIMEOUT'
  | 'TRUNCATED'
  | 'WORKER_CRASHED';

export interface ItemInput {
  content: string;
  customId?: string | null | undefined;
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
}

export type ItemOrder =
  | 'CONFIDENCE'
  | 'INDEX';

export type ItemStatus =
  | 'CANCELLED'
  | 'EXPIRED'
  | 'FAILED'
  | 'PENDING'
  | 'PROCESSING'
  | 'SUCCEEDED';

export interface LabelExampleInput {
  content: string;
  labels: readonly string[];
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
}

export interface LabelOptions {
  allowNone?: boolean | null | undefined;
  categories: readonly string[];
  categoryDescriptions?: Readonly<Record<string, unknown>> | null | undefined;
  examples?: readonly LabelExampleInput[] | null | undefined;
  extraBody?: Readonly<Record<string, unknown>> | null | undefined;
  includeContext?: boolean | null | undefined;
  instructions?: string | null | undefined;
  maxOutputTokens?: number | null | undefined;
  model?: string | null | undefined;
  multiLabel?: boolean | null | undefined;
  reasoningEffort?: string | null | undefined;
  referenceDate?: string | null | undefined;
  seed?: number | null | undefined;
  systemPrompt?: string | null | undefined;
  temperature?: number | null | undefined;
  topP?: number | null | undefined;
  userPromptTemplate?: string | null | undefined;
}

export type Operation =
  | 'CHAT'
  | 'ENRICH'
  | 'EXTRACT'
  | 'LABEL'
  | 'RUN'
  | 'SUMMARIZE';

export interface OperationInput {
  chat?: ChatOptions | null | undefined;
  enrich?: EnrichOptions | null | undefined;
  extract?: ExtractOptions | null | undefined;
  label?: LabelOptions | null | undefined;
  run?: RunOptions | null | undefined;
  summarize?: SummarizeOptions | null | undefined;
}

export type PauseReason =
  | 'BUDGET'
  | 'OWNER_BUDGET'
  | 'PREVIEW'
  | 'REQUESTED';

export type PriceSource =
  | 'CONFIGURED'
  | 'LIST'
  | 'LIST_SIMILAR';

export interface QuoteInput {
  contentField?: string | null | undefined;
  deduplicate?: boolean | null | undefined;
  models?: readonly string[] | null | undefined;
  operation: OperationInput;
  source: SourceInput;
}

export type ResponseFormat =
  | 'JSON_OBJECT'
  | 'JSON_SCHEMA'
  | 'TEXT';

export interface ResponseFormatInput {
  schema?: Readonly<Record<string, unknown>> | null | undefined;
  type: ResponseFormat;
}

export interface RunOptions {
  extraBody?: Readonly<Record<string, unknown>> | null | undefined;
  includeContext?: boolean | null | undefined;
  instructions?: string | null | undefined;
  maxOutputTokens?: number | null | undefined;
  model?: string | null | undefined;
  operation?: string | null | undefined;
  reasoningEffort?: string | null | undefined;
  referenceDate?: string | null | undefined;
  responseFormat?: ResponseFormatInput | null | undefined;
  seed?: number | null | undefined;
  systemPrompt?: string | null | undefined;
  temperature?: number | null | undefined;
  topP?: number | null | undefined;
  userPromptTemplate?: string | null | undefined;
}

export interface SourceInput {
  fileId?: string | null | undefined;
  items?: readonly ItemInput[] | null | undefined;
  requests?: readonly Readonly<Record<string, unknown>>[] | null | undefined;
  texts?: readonly string[] | null | undefined;
}

export interface SubmitBatchInput {
  autoStart?: boolean | null | undefined;
  contentField?: string | null | undefined;
  customIdField?: string | null | undefined;
  customIdPrefix?: string | null | undefined;
  deduplicate?: boolean | null | undefined;
  execution?: Execution | null | undefined;
  expiresInSeconds?: number | null | undefined;
  idempotencyKey?: string | null | undefined;
  maxCostUsd?: number | null | undefined;
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
  name?: string | null | undefined;
  operation: OperationInput;
  preview?: number | null | undefined;
  promptCaching?: boolean | null | undefined;
  rescue?: boolean | null | undefined;
  retainSeconds?: number | null | undefined;
  source: SourceInput;
  webhookUrl?: string | null | undefined;
}

export interface SummarizeOptions {
  extraBody?: Readonly<Record<string, unknown>> | null | undefined;
  includeContext?: boolean | null | undefined;
  instructions?: string | null | undefined;
  maxOutputTokens?: number | null | undefined;
  model?: string | null | undefined;
  reasoningEffort?: string | null | undefined;
  referenceDate?: string | null | undefined;
  responseFormat?: ResponseFormatInput | null | undefined;
  seed?: number | null | undefined;
  systemPrompt?: string | null | undefined;
  temperature?: number | null | undefined;
  topP?: number | null | undefined;
  userPromptTemplate?: string | null | undefined;
}
