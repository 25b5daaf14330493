/** A program's input, as GraphQL takes it: items as objects, enums in upper case. */
import { wrongInput } from './errors.ts';
import type {
  ChatOptions,
  EnrichOptions,
  ExtractOptions,
  LabelOptions,
  ResponseFormat,
  RunOptions,
  SummarizeOptions,
} from './options.ts';
import { upper } from './shapes.ts';
import type { OptionsByOperation } from './submit-types.ts';
import type { Items } from './types.ts';
import type * as wire from './wire.ts';

export function toItems(items: Items): wire.ItemInput[] {
  return items.map((item) => (typeof item === 'string' ? { content: item } : item));
}

export function toEnrichOptions({ fields, ...options }: EnrichOptions): wire.EnrichOptions {
  return {
    ...options,
    fields: fields.map((field) => {
      if (typeof field === 'string') return { name: field };
      const { type, ...rest } = field;
      return type ? { ...rest, type: upper(type) } : rest;
    }),
  };
}

/** Options of summarize and run. */
export function withFormat<Options extends { responseFormat?: ResponseFormat | null | undefined }>({
  responseFormat,
  ...options
}: Options) {
  if (!responseFormat) return options;
  const { type, schema } = responseFormat;
  return { ...options, responseFormat: { type: upper(type), ...(schema ? { schema } : {}) } };
}

const names = ['label', 'extract', 'summarize', 'enrich', 'run', 'chat'] as const;

/**
 * The one operation of a submit or a quote, and what else it has. Throws BadUserInput where it has
 * none, or several.
 */
export function splitOperation<Settings>(options: Settings & Partial<OptionsByOperation>): {
  operation: wire.OperationInput;
  rest: Settings;
} {
  const { label, extract, summarize, enrich, run, chat, ...rest } = options;
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length !== 1) {
    throw wrongInput([
      { path: '', message: `must have exactly one of ${names.join(', ')}, not ${given.length}` },
    ]);
  }
  const operation = toOperation({ label, extract, summarize, enrich, run, chat });
  return { operation, rest: rest as Settings };
}

function toOperation(given: {
  label: LabelOptions | undefined;
  extract: ExtractOptions | undefined;
  summarize: SummarizeOptions | undefined;
  enrich: EnrichOptions | undefined;
  run: RunOptions | undefined;
  chat: ChatOptions | undefined;
}): wire.OperationInput {
  const { label, extract, summarize, enrich, run, chat } = given;
  if (label) return { label };
  if (extract) return { extract };
  if (summarize) return { summarize: withFormat(summarize) };
  if (enrich) return { enrich: toEnrichOptions(enrich) };
  if (run) return { run: withFormat(run) };
  return { chat: chat ?? {} };
}
