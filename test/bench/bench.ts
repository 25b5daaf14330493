/**
 * `npm run bench`: every benchmark, or those that are named (docs/benchmarks.md). Each prints a
 * table and one line of JSON.
 */
import { benchConsole } from './console.ts';
import { benchConsolePage } from './console-page.ts';
import { benchEngine } from './engine.ts';
import { benchExport } from './export.ts';
import { benchFaces } from './faces.ts';
import { benchFaceData } from './faces-data.ts';
import { benchIngest } from './ingest.ts';
import { benchLatency } from './latency.ts';
import { benchMoney } from './money.ts';
import { benchPurge } from './purge.ts';
import { benchSubscriptions } from './subscriptions.ts';
import { benchSync } from './sync.ts';
import { benchTelemetry } from './telemetry.ts';
import { benchThroughput } from './throughput.ts';

const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  ingest: () => benchIngest(),
  export: () => benchExport(),
  throughput: () => benchThroughput(),
  telemetry: () => benchTelemetry(),
  latency: () => benchLatency(),
  engine: () => benchEngine(),
  purge: () => benchPurge(),
  sync: () => benchSync(),
  faces: async () => {
    await benchFaces();
    await benchFaceData();
  },
  money: () => benchMoney(),
  console: () => benchConsole(),
  'console-page': () => benchConsolePage(),
  subscriptions: () => benchSubscriptions(),
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  process.stderr.write(
    `No such bench: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}\n`,
  );
  process.exit(1);
}
for (const [name, bench] of Object.entries(benches)) {
  if (named.length === 0 || named.includes(name)) await bench();
}
