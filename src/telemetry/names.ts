/**
 * Names of OpenTelemetry's conventions for generative AI, which are in development: the old ones,
 * which dashboards know, and those of 2026. https://github.com/open-telemetry/semantic-conventions-genai
 */

/** Names of metrics, as Prometheus has them. */
export interface GenAiNames {
  duration: string;
  /** One histogram with the label `gen_ai_token_type`, or one for each of the two. */
  tokens: { both: string } | { input: string; output: string };
}

const old: GenAiNames = {
  duration: 'gen_ai_client_operation_duration_seconds',
  tokens: { both: 'gen_ai_client_token_usage' },
};

const latest: GenAiNames = {
  duration: 'gen_ai_client_inference_duration_seconds',
  tokens: {
    input: 'gen_ai_client_inference_operation_input_tokens',
    output: 'gen_ai_client_inference_operation_output_tokens',
  },
};

/** By OTEL_SEMCONV_STABILITY_OPT_IN, a list with commas. */
export function genAiNames(optIn: string): GenAiNames {
  const wanted = optIn.split(',').map((name) => name.trim());
  return wanted.includes('gen_ai_latest_experimental') ? latest : old;
}
