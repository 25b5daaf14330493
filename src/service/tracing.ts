/** Traces of this process, where the operator has named a collector. */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import type { Events } from '../telemetry/events.ts';
import { genAiNames } from '../telemetry/names.ts';
import type { Tracing } from '../telemetry/tracing.ts';

/** Null where traces are off: then nothing of OpenTelemetry's SDK is loaded. */
export async function openTracing(
  { traces, genAiConventions, providers }: Config,
  events: Pick<Events, 'on'>,
  log: Pick<Log, 'warn'>,
): Promise<Tracing | null> {
  if (traces === null) return null;
  const { openTraces } = await import('../telemetry/traces/open.ts');
  const addresses = new Map(
    providers.map(({ name, baseUrl }) => {
      const { hostname, port, protocol } = new URL(baseUrl);
      const usual = protocol === 'https:' ? 443 : 80;
      return [name, { address: hostname, port: port === '' ? usual : Number(port) }];
    }),
  );
  return openTraces(traces, {
    events,
    log,
    names: genAiNames(genAiConventions).attributes,
    addressOf: (provider) => addresses.get(provider) ?? null,
  });
}
