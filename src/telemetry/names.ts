/**
 * Names of OpenTelemetry's conventions for generative AI, which are in development: the old ones,
 * which dashboards know, and those of 2026. https://github.com/open-telemetry/semantic-conventions-genai
 */

/** Names of metrics, as Prometheus has them, and of those attributes of spans that have two. */
export interface GenAiNames {
  duration: string;
  /** One histogram with the label `gen_ai_token_type`, or one for each of the two. */
  tokens: { both: string } | { input: string; output: string };
  /** Null: it has no name. */
  attributes: {
    /** Beside `gen_ai.provider.name`, with the same value. */
    system: string | null;
    cacheWriteTokens: string;
    reasoningEffort: string | null;
  };
}

const old: GenAiNames = {
  duration: 'gen_ai_client_operation_duration_seconds',
  tokens: { both: 'gen_ai_client_token_usage' },
  attributes: {
    system: 'gen_ai.system',
    cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
    reasoningEffort: null,
  },
};

const latest: GenAiNames = {
  duration: 'gen_ai_client_inference_duration_seconds',
  tokens: {
    input: 'gen_ai_client_inference_operation_input_tokens',
    output: 'gen_ai_client_inference_operation_output_tokens',
  },
  attributes: {
    system: null,
    cacheWriteTokens: 'gen_ai.usage.cache_write.input_tokens',
    reasoningEffort: 'gen_ai.request.reasoning.level',
  },
};

/** By OTEL_SEMCONV_STABILITY_OPT_IN, a list with commas. */
export function genAiNames(optIn: string): GenAiNames {
  const wanted = optIn.split(',').map((name) => name.trim());
  return wanted.includes('gen_ai_latest_experimental') ? latest : old;
}
