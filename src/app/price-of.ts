/** The price of a model's answer, before there is one. */
import { BadUserInput } from '../core/errors.ts';
import { noTokens, type Tokens } from '../core/usage.ts';
import type { Execution } from '../db/tables.ts';
import type { Providers } from '../model/providers.ts';

type Prices = Pick<Providers, 'prices'>;

/** The question: a model as provider/name, and the way that it is called. */
interface Asked {
  model: string;
  execution: Execution;
}

/** USD; null where the model has no known price. */
export function priceOf(
  { prices }: Prices,
  { model, execution }: Asked,
  counts: Partial<Tokens>,
): number | null {
  const { live, batch } = prices(model);
  return (execution === 'LIVE' ? live : batch).costUsd({ ...noTokens, ...counts });
}

/** Throws BadUserInput at `path` where a limit cannot be held, as nobody knows what calls cost. */
export function refuseUnpriced(
  providers: Prices,
  { options, ...asked }: Asked & { options: object },
  path: string,
): void {
  const tier = tierIn(options);
  if (priceOf(providers, asked, { inputTokens: 1, outputTokens: 1, tier }) !== null) return;
  const at = tier === null ? '' : ` at the service tier ${tier}`;
  const message = `must be absent for ${asked.model}, which has no known price${at}; PRICES sets one`;
  throw new BadUserInput([{ path, message }]);
}

/** The tier of answers to what `extraBody` asks for. */
function tierIn(options: object): string | null {
  const { extraBody } = options as { extraBody?: { service_tier?: unknown } | null };
  const tier = extraBody?.service_tier;
  // Anthropic's word for what its answers call `standard`.
  if (tier === 'standard_only') return 'standard';
  return typeof tier === 'string' ? tier : null;
}
