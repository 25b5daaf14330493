/** Counts what happens in this process, and writes it in Prometheus' format. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Events, Facts, Lane } from '../events.ts';
import type { GenAiNames } from '../names.ts';
import { catalog, type Definition, genAi } from './catalog.ts';
import { type Buckets, boundNames, Histogram, Numbers, type Series } from './series.ts';

/** Names of models come from callers: so many of each provider, and `other`. */
const maxModels = 200;
/** Names of GraphQL operations too. */
const maxOperations = 200;
const maxOwners = 100;
/** There are fewer; a bound all the same. */
const maxStatements = 300;

export interface MetricsOptions {
  events: Pick<Events, 'on'>;
  names: GenAiNames;
  /** `owner` is a label of items, cost and refused requests. */
  byOwner: boolean;
}

type MetricName = keyof typeof catalog;

/** Asked at each look, to set gauges. Never rejects. */
type Gauges = (set: (name: MetricName, labels: readonly string[], value: number) => void) => void;

export interface Metrics {
  /** The whole text. */
  text(): Promise<string>;
  /** Provider and model of an id; the model is `other` beyond the first 200 of its provider. */
  modelLabels(id: string): readonly string[];
  /** `ask` sets all series of these gauges at each look: what it does not set is not there. */
  gauges(names: readonly MetricName[], ask: (...given: Parameters<Gauges>) => unknown): void;
}

/** Begins to count. */
export function createMetrics({ events, names, byOwner }: MetricsOptions): Metrics {
  const ownProcess = processMetrics();
  const all: Series[] = [];
  const asked: { names: readonly MetricName[]; ask: Parameters<Metrics['gauges']>[1] }[] = [];
  const own = new Map<MetricName, Series>();
  for (const [name, definition] of Object.entries<Definition>(catalog)) {
    const series =
      definition.type === 'histogram'
        ? new Histogram(definition)
        : new Numbers(byOwner ? withOwner(name as MetricName, definition) : definition);
    own.set(name as MetricName, series);
    all.push(series);
  }
  const numbers = (name: MetricName) => own.get(name) as Numbers;
  const histogram = (name: MetricName) => own.get(name) as Histogram;
  const nameOwner = boundNames(maxOwners);
  const ownerLabel = (owner: string | null) =>
    byOwner ? [owner === null ? '' : nameOwner(owner)] : [];
  const modelLabels = createModelLabels();

  const calls = createCalls(names, modelLabels);
  all.push(...calls.series);
  const cost = numbers('cost');
  events.on('model.call', (call) => {
    const kept = calls.observe(call);
    const { model, lane, owner, requests, retries, error, costUsd, isUnmetered } = call;
    const labels = modelLabels(model);
    if (costUsd !== null) {
      if (byOwner) cost.add([...labels, lane, ...ownerLabel(owner)], costUsd);
      else {
        kept.cost[lane] ??= cost.of([...labels, lane]);
        kept.cost[lane].value += costUsd;
      }
    }
    if (isUnmetered) numbers('unmetered').add([...labels, lane]);
    if (error === 'RATE_LIMITED') numbers('rateLimited').add(labels);
    if (retries > 0) numbers('retries').add(labels, Math.min(retries, requests));
  });
  events.on('items.recorded', ({ owner, operation, lane, items }) => {
    for (const { status, errorCode, items: count } of items) {
      const labels = [operation, status.toLowerCase(), lane, errorCode ?? ''];
      numbers('items').add([...labels, ...ownerLabel(owner)], count);
    }
  });
  events.on('batch.ended', ({ operation, status, lane, seconds }) => {
    const durations = histogram('batchDuration');
    durations.observe(durations.of([operation, status.toLowerCase(), lane]), seconds);
  });
  events.on('batch.paused', ({ reason }) => numbers('batchesPaused').add([reason]));
  events.on('chunk.reclaimed', ({ chunks, resent }) => {
    numbers('reclaimed').add([], chunks);
    numbers('resent').add([], resent);
  });
  events.on('flush.written', ({ seconds, results }) => {
    observe('flushDuration', [], seconds);
    observe('flushItems', [], results);
  });
  events.on('http.request', ({ method, route, statusCode, seconds, bytesOut, outputBy }) => {
    observe('httpDuration', [method, route, String(statusCode)], seconds);
    if (outputBy !== null) numbers('outputBytes').add([outputBy], bytesOut);
  });
  events.on('upload.taken', ({ face, bytes }) => numbers('uploadBytes').add([face], bytes));
  events.on('request.refused', ({ reason, owner }) =>
    numbers('refused').add([reason, ...ownerLabel(owner)]),
  );
  const nameOperation = boundNames(maxOperations);
  events.on('graphql.operation', ({ type, name, outcome, seconds }) => {
    observe('graphqlDuration', [type, name === '' ? '' : nameOperation(name), outcome], seconds);
  });
  const nameStatement = boundNames(maxStatements);
  events.on('db.query', ({ statement, seconds }) =>
    observe('dbDuration', [nameStatement(statement)], seconds),
  );
  numbers('sockets').set([], 0);
  events.on('socket.changed', ({ opened }) => numbers('sockets').add([], opened ? 1 : -1));
  events.on('subscription.changed', ({ field, transport, opened }) =>
    numbers('subscriptions').add([field, transport], opened ? 1 : -1),
  );
  events.on('webhook.delivered', () => numbers('webhookAttempts').add(['delivered']));
  events.on('webhook.failed', ({ retryInMs }) =>
    numbers('webhookAttempts').add([retryInMs === null ? 'abandoned' : 'failed']),
  );
  events.on('retention.deleted', ({ kind, count }) =>
    numbers('retentionDeleted').add([kind], count),
  );

  function observe(name: MetricName, labels: readonly string[], value: number): void {
    const series = histogram(name);
    series.observe(series.of(labels), value);
  }

  return {
    modelLabels,
    gauges(gaugeNames, ask) {
      asked.push({ names: gaugeNames, ask });
    },
    async text() {
      await Promise.all(
        asked.map(async ({ names: gaugeNames, ask }) => {
          const found: Parameters<Parameters<Gauges>[0]>[] = [];
          await ask((...set) => found.push(set));
          for (const name of gaugeNames) numbers(name).clear();
          for (const [name, labels, value] of found) numbers(name).set(labels, value);
        }),
      );
      const shown = all.map((series) => series.text());
      return `${shown.join('')}${await ownProcess.metrics()}`;
    },
  };
}

function withOwner(name: MetricName, definition: Definition): Definition {
  if (name !== 'items' && name !== 'cost' && name !== 'refused') return definition;
  return { ...definition, labels: [...definition.labels, 'owner'] };
}

/** Provider and model of an id, whose model may be `other`; the same list for the same id. */
function createModelLabels(): (id: string) => readonly string[] {
  const bounds = new Map<string, (name: string) => string>();
  const known = new Map<string, readonly string[]>();
  return (id) => {
    const found = known.get(id);
    if (found) return found;
    const slash = id.indexOf('/');
    const provider = id.slice(0, slash);
    const bound = bounds.get(provider) ?? boundNames(maxModels);
    bounds.set(provider, bound);
    const name = bound(id.slice(slash + 1));
    const labels = [provider, name];
    if (name !== 'other') known.set(id, labels);
    return labels;
  };
}

/** The series that calls of one model change. `cost` is by lane, where owners are no labels. */
interface Kept {
  seconds: Buckets;
  input: Buckets;
  output: Buckets;
  cost: Partial<Record<Lane, { value: number }>>;
}

/** Durations and tokens of calls, whose buckets are kept by model: calls may be very many. */
function createCalls(names: GenAiNames, labelsOf: (id: string) => readonly string[]) {
  const durations = new Histogram({ ...genAi.duration, name: names.duration });
  const { input, output, series } = tokenHistograms(names);
  /** Series of answers without an error. */
  const kept = new Map<readonly string[], Kept>();

  function bucketsOf(labels: readonly string[]): Kept {
    const found = kept.get(labels);
    if (found) return found;
    const call = ['chat', ...labels];
    const made = {
      seconds: durations.of([...call, '']),
      input: input.of([...call, 'input']),
      output: output.of([...call, 'output']),
      cost: {},
    };
    // `other` has a list of its own at each call.
    if (labels[1] !== 'other') kept.set(labels, made);
    return made;
  }

  return {
    series: [durations, ...series],
    observe({ model, seconds, requests, error, tokens }: Facts['model.call']): Kept {
      const labels = labelsOf(model);
      const buckets = bucketsOf(labels);
      if (seconds !== null) {
        const failed = (code: string) => durations.of(['chat', ...labels, code]);
        const each = seconds / requests;
        // Those before the last were refused for a parameter.
        for (let at = 1; at < requests; at += 1) durations.observe(failed('INVALID_REQUEST'), each);
        durations.observe(error === null ? buckets.seconds : failed(error), each);
      }
      if (tokens === null) return buckets;
      input.observe(buckets.input, tokens.inputTokens);
      output.observe(buckets.output, tokens.outputTokens);
      return buckets;
    },
  };
}

function tokenHistograms({ tokens }: GenAiNames) {
  if ('both' in tokens) {
    const both = new Histogram({ ...genAi.tokens, name: tokens.both });
    return { input: both, output: both, series: [both] };
  }
  const labels = genAi.tokens.labels.filter((label) => label !== 'gen_ai_token_type');
  const input = new Histogram({ ...genAi.tokens, labels, name: tokens.input });
  const output = new Histogram({ ...genAi.tokens, labels, name: tokens.output });
  return { input, output, series: [input, output] };
}

let registry: Registry | null = null;

/** Metrics of the process itself: one set, however many servers a test starts in it. */
function processMetrics(): Registry {
  if (registry) return registry;
  registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Gauges with the names of counters, which promtool complains of.
  for (const kind of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  return registry;
}
