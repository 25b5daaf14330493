/**
 * Items under which processes die: each is found and dead-lettered after five crashes, and nobody
 * else pays for it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processHeader } from '../engine/worker/process.ts';
import { readItems, submit, textOf, texts, untilEnded } from '../engine/worker/support.ts';
import { either, isShort, printFigures } from './run.ts';
import { type Member, type Stage, setStage } from './stage.ts';

const items = either(300, 5_000);

import { fatalCrashes } from '../../src/db/reclaims.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage({ concurrency: either(8, 64), leaseMs: 1_000, latencyMs: 50 });
});
afterAll(() => stage.close());

test.each([
  // The short form leaves it out: the other case has all that this one has.
  ...(isShort ? [] : [{ poisons: 1, batches: 1 }]),
  { poisons: either(2, 3), batches: 2 },
])(
  '$poisons poison items in $batches batches kill whoever asks about them: five crashes each at most, and all others are answered',
  async ({ poisons, batches }) => {
    const crew = new Map<string, Member>();
    const heirs: Promise<unknown>[] = [];
    let crashes = 0;
    let done = false;
    // Whoever asks about one is never answered, and dies; the journal tells who it was.
    const isPoison = (text: string) => text.startsWith('poison');
    stage.sandbox.faults.add({
      fault: { kind: 'stall', at: 'headers' },
      when: ({ text }) => isPoison(text),
    });
    const join = async (name: string) => {
      crew.set(name, await stage.start(name));
      killWhoAsks();
    };
    function killWhoAsks(): void {
      for (const { body, headers } of stage.sandbox.requests.journal) {
        const name = String(headers[processHeader]);
        const member = crew.get(name);
        if (!member || !isPoison(textOf(body))) continue;
        crew.delete(name);
        crashes += 1;
        member.signal('SIGKILL');
        heirs.push(join(`heir-${poisons}-${crashes}`));
      }
    }
    void stage.sandbox.until(({ requests }) => {
      const last = requests.journal.at(-1);
      if (last && isPoison(textOf(last.body))) killWhoAsks();
      return done;
    });
    await Promise.all([join(`first-${poisons}`), join(`second-${poisons}`)]);

    const given = Array.from({ length: batches }, (_, batch) => {
      const source = texts(items / batches).map((text) => `${batch} ${text}`);
      const own = Math.floor(poisons / batches) + (batch < poisons % batches ? 1 : 0);
      for (let poison = 0; poison < own; poison += 1) {
        source[(poison + 1) * 50] = `poison ${batch} ${poison}`;
      }
      return source;
    });
    const startedAt = Date.now();
    const ids = await Promise.all(given.map((source) => submit(stage.api, source)));
    const ended = await Promise.all(ids.map((id) => untilEnded(stage.api, id, 300_000)));
    const seconds = (Date.now() - startedAt) / 1_000;
    done = true;
    await Promise.all(heirs);
    const answered = (await Promise.all(ids.map((id) => readItems(stage.api, id)))).flat();
    const dead = answered.filter(({ status }) => status !== 'SUCCEEDED');
    await stage.clear();

    printFigures(`${poisons} poison items in ${batches} batches, 2 workers`, {
      items,
      crashes,
      seconds,
      'dead-lettered': dead.length,
      reported: ended.reduce((sum, { resentRequests }) => sum + resentRequests, 0),
    });
    expect(dead.map(({ content }) => content.slice(0, 6))).toEqual(dead.map(() => 'poison'));
    expect(dead).toHaveLength(poisons);
    expect(new Set(dead.map(({ error }) => error?.code))).toEqual(new Set(['WORKER_CRASHED']));
    expect(answered).toHaveLength(items);
    expect(crashes).toBeLessThanOrEqual(poisons * fatalCrashes);
  },
);
