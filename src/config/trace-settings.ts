/** The variables of traces, as OpenTelemetry names them. */
import { z } from 'zod';
import { samplers, type TraceSettings } from '../telemetry/tracing.ts';
import { bool, integer, oneOf } from './kinds.ts';
import { httpUrl } from './provider-settings.ts';
import { variable } from './variable.ts';

const pairs = z
  .string()
  .default('')
  .transform((text, context): Record<string, string> => {
    const read = readPairs(text);
    if (read) return read;
    const message = 'must be name=value pairs with commas between, their values URL-encoded';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const share = 'must be a number from 0 to 1';

/** The variables, each with its kind. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    'Address of a collector, without `/v1/traces`.',
    httpUrl.optional(),
    { otherwise: 'there are no traces', values: '`http://…`' },
  ),
  OTEL_EXPORTER_OTLP_HEADERS: variable('Headers for the collector.', pairs, {
    values: '`name=value,name=value` with URL-encoded values',
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: variable(
    'Milliseconds until an export is given up, with its repeats.',
    integer(10_000, 100, 60_000),
  ),
  OTEL_SERVICE_NAME: variable(
    'Name of the service that spans are of.',
    z.string().max(200, 'must be at most 200 characters').default('winnow'),
    { values: 'at most 200 characters' },
  ),
  OTEL_RESOURCE_ATTRIBUTES: variable('What every span says of its process.', pairs, {
    values: '`name=value,name=value` with URL-encoded values',
  }),
  OTEL_TRACES_SAMPLER: variable(
    'Which traces are sent.',
    oneOf(samplers).default('parentbased_always_on'),
  ),
  OTEL_TRACES_SAMPLER_ARG: variable(
    'Share of traces that a sampler by ratio keeps.',
    z.coerce.number(share).min(0, share).max(1, share).default(1),
  ),
  OTEL_SDK_DISABLED: variable('`true`: there are no traces, whatever else is set.', bool(false)),
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: variable(
    '`true`: spans of calls have prompts and answers.',
    bool(false),
  ),
  OTEL_PROPAGATE_TO_PROVIDERS: variable(
    '`true`: calls to providers have the header `traceparent`.',
    bool(false),
  ),
};

/** The values of these variables; null: there are no traces. */
export function traceSettings(
  data: z.output<z.ZodObject<typeof traceVariables>>,
): TraceSettings | null {
  const endpoint = data.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined || data.OTEL_SDK_DISABLED) return null;
  return {
    endpoint,
    headers: data.OTEL_EXPORTER_OTLP_HEADERS,
    timeoutMs: data.OTEL_EXPORTER_OTLP_TIMEOUT,
    serviceName: data.OTEL_SERVICE_NAME,
    resource: data.OTEL_RESOURCE_ATTRIBUTES,
    sampler: data.OTEL_TRACES_SAMPLER,
    ratio: data.OTEL_TRACES_SAMPLER_ARG,
    capturesContent: data.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
    propagates: data.OTEL_PROPAGATE_TO_PROVIDERS,
  };
}

/** Null where one is malformed. Names are those of headers, or of attributes. */
function readPairs(text: string): Record<string, string> | null {
  const read: [string, string][] = [];
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue;
    const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) return null;
    try {
      read.push([name, decodeURIComponent(value)]);
    } catch {
      return null;
    }
  }
  return Object.fromEntries(read);
}
