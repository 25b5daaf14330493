import { type Goal, median, report, rounded } from './figures.ts';
import { startServer } from './ingest.ts';
import { withLabelled } from './labelled.ts';

const rounds = 5;
const page = '{ searchedTo edges { node { index status excerpt output } } }';

/** Fields of a batch, each with the milliseconds that it may take. */
const sums: readonly [field: string, maxMs: number][] = [
  ['labels(first: 500) { label count }', 2_800],
  ['confidence { count }', 2_800],
  ['medianConfidence', 2_800],
  ['timeline { at succeeded }', 2_800],
];
const kept: readonly [field: string, maxMs: number][] = [
  ['labels(first: 500) { label count } confidence { count } medianConfidence timeline { at }', 50],
  ['items(labels: ["label 7"]) { totalCount }', 50],
  ['items(status: [FAILED]) { totalCount }', 50],
];
const pages: readonly [args: string, maxMs: number][] = [
  ['fromIndex: 0', 20],
  ['fromIndex: 500000', 20],
  ['fromIndex: 900000', 20],
  ['status: [FAILED], fromIndex: 500000', 20],
  ['orderBy: CONFIDENCE', 340],
  ['orderBy: CONFIDENCE, after: "500000000.500000"', 340],
  ['labels: ["label 7"]', 430],
  ['labels: ["nobody has it"]', 1_700],
  ['confidenceBelow: 0.001', 430],
  ['search: "7b8b965ad4bca0e41ab51de7b31363a1"', 1_700],
  ['search: "text that is nowhere"', 1_700],
];

export async function benchConsole(items = 1_000_000): Promise<void> {
  await withLabelled(items, async ({ url, id }) => {
    const server = await startServer(url);
    try {
      const ask = async (field: string) => {
        const startedAt = performance.now();
        const response = await fetch(server.graphql, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query: `{ batch(id: "${id}") { ${field} } }` }),
        });
        const { data, errors } = (await response.json()) as { data: any; errors?: unknown };
        if (errors) throw new Error(JSON.stringify(errors));
        return { ms: performance.now() - startedAt, batch: data.batch };
      };
      await ask('id');
      const rows: object[] = [];
      const goals: Goal[] = [];
      const measure = async (what: string, field: string, maxMs: number, times: number) => {
        const measured: number[] = [];
        let answer: any;
        for (let round = 0; round < times; round += 1) {
          const { ms, batch } = await ask(field);
          measured.push(ms);
          answer = batch;
        }
        const { edges, searchedTo } = answer.items ?? {};
        const value = median(measured);
        rows.push({ what, ms: rounded(value, 1), items: edges?.length, searchedTo });
        goals.push({ name: what, value, bound: ['<=', maxMs] });
      };
      for (const [field, maxMs] of sums) await measure(`first ${field}`, field, maxMs, 1);
      for (const [field, maxMs] of kept) await measure(`again ${field}`, field, maxMs, rounds);
      for (const [args, maxMs] of pages) {
        await measure(args, `items(first: 200, ${args}) ${page}`, maxMs, rounds);
      }
      await measure(
        'totalCount of confidenceBelow: 0.5',
        'items(confidenceBelow: 0.5) { totalCount }',
        1_700,
        rounds,
      );
      report('console', rows, goals);
    } finally {
      await server.stop();
    }
  });
}
