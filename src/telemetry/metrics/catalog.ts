/** Every metric of Winnow's own: docs/reference/metrics.md has the same, and a test holds both. */

export interface Definition {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  /** Upper bounds, of a histogram. */
  buckets?: readonly number[];
}

/** From `first`, each `factor` times the one before. */
function growing(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => Number((first * factor ** at).toPrecision(12)));
}

const callSeconds = growing(0.01, 2, 14);
const tokenCounts = growing(1, 4, 14);
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const batchSeconds = [1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400];
const statementSeconds = [0.001, 0.0025, ...requestSeconds.filter((bound) => bound <= 10)];
const flushItems = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

const call = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'];
const model = ['provider', 'model'];

function counter(name: string, labels: readonly string[], help: string): Definition {
  return { name, type: 'counter', labels, help };
}

function gauge(name: string, labels: readonly string[], help: string): Definition {
  return { name, type: 'gauge', labels, help };
}

function histogram(
  name: string,
  { labels, buckets }: { labels: readonly string[]; buckets: readonly number[] },
  help: string,
): Definition {
  return { name, type: 'histogram', labels, buckets, help };
}

/** Metrics of calls to models, for whose names OpenTelemetry has two. */
export const genAi = {
  duration: histogram(
    'gen_ai_client_operation_duration_seconds',
    { labels: [...call, 'error_type'], buckets: callSeconds },
    'Seconds of each request to a model, to its answer or its end',
  ),
  tokens: histogram(
    'gen_ai_client_token_usage',
    { labels: [...call, 'gen_ai_token_type'], buckets: tokenCounts },
    'Tokens of each answer, as the provider counted them',
  ),
};

export const catalog = {
  cost: counter(
    'winnow_model_cost_usd_total',
    [...model, 'lane'],
    'USD that answers cost, where the price is known',
  ),
  unmetered: counter(
    'winnow_model_unmetered_requests_total',
    [...model, 'lane'],
    'Requests of which no usage came, although the provider may bill them',
  ),
  rateLimited: counter(
    'winnow_model_rate_limited_total',
    model,
    'Requests that the provider refused for its rate limit',
  ),
  retries: counter(
    'winnow_model_retries_total',
    model,
    'Requests that repeat an earlier one of the same item, after a failure or an invalid answer',
  ),
  callsInFlight: gauge(
    'winnow_model_calls_in_flight',
    model,
    'Requests of this process that have no answer yet',
  ),
  gateOpen: gauge(
    'winnow_model_gate_open',
    [...model, 'reason'],
    '1 while calls go out; 0 while none does, with the reason failing, rate_limited or paced',
  ),
  items: counter(
    'winnow_items_total',
    ['operation', 'status', 'lane', 'error_code'],
    'Items whose final result is stored, or answered at once',
  ),
  itemsWaiting: gauge(
    'winnow_items_waiting',
    ['lane'],
    'Items of running batches that nobody works on yet; of the whole database, by one process',
  ),
  itemsInFlight: gauge(
    'winnow_items_in_flight',
    ['lane'],
    'Items that a worker or a provider batch holds; of the whole database, by one process',
  ),
  oldestWaiting: gauge(
    'winnow_oldest_waiting_seconds',
    ['lane'],
    'Age of the oldest running batch with waiting items; of the whole database, by one process',
  ),
  batches: gauge(
    'winnow_batches',
    ['status'],
    'Batches by status; of the whole database, by one process',
  ),
  batchesPaused: counter(
    'winnow_batches_paused_total',
    ['reason'],
    'Batches that were paused for their limit, their preview, or the budget of their owner',
  ),
  batchDuration: histogram(
    'winnow_batch_duration_seconds',
    { labels: ['operation', 'status', 'lane'], buckets: batchSeconds },
    'Seconds from the submit of a batch to its end',
  ),
  workerSlots: gauge(
    'winnow_worker_slots',
    [],
    'Calls of batches that this process may make at once',
  ),
  workerSlotsUsed: gauge(
    'winnow_worker_slots_used',
    [],
    'Calls of batches that are under way, or whose answers are not stored yet',
  ),
  resent: counter(
    'winnow_requests_resent_total',
    [],
    'Requests of dead workers that are sent again, and perhaps paid again',
  ),
  reclaimed: counter(
    'winnow_chunks_reclaimed_total',
    [],
    'Chunks of dead workers that this process has taken back',
  ),
  flushDuration: histogram(
    'winnow_flush_duration_seconds',
    { labels: [], buckets: statementSeconds },
    'Seconds of the statement that stores live answers',
  ),
  flushItems: histogram(
    'winnow_flush_items',
    { labels: [], buckets: flushItems },
    'Answers that one flush stores',
  ),
  httpDuration: histogram(
    'winnow_http_request_duration_seconds',
    { labels: ['method', 'route', 'status_code'], buckets: requestSeconds },
    'Seconds of an HTTP request, to the end of its answer',
  ),
  refused: counter(
    'winnow_http_requests_refused_total',
    ['reason'],
    'Requests that were refused for their key, scope, rate, limit, cost, size or origin',
  ),
  graphqlDuration: histogram(
    'winnow_graphql_operation_duration_seconds',
    { labels: ['operation_type', 'operation_name', 'outcome'], buckets: requestSeconds },
    'Seconds of a query or mutation; of a subscription, until it stands',
  ),
  subscriptions: gauge(
    'winnow_graphql_subscriptions',
    ['field', 'transport'],
    'Subscriptions that are open',
  ),
  sockets: gauge('winnow_sockets', [], 'WebSockets that are open'),
  dbDuration: histogram(
    'winnow_db_query_duration_seconds',
    { labels: ['statement'], buckets: statementSeconds },
    'Seconds of a statement in the database, by the function that made it',
  ),
  dbConnections: gauge(
    'winnow_db_connections',
    ['state'],
    'Connections to the database that are open and busy, and statements that wait for one',
  ),
  uploadBytes: counter('winnow_upload_bytes_total', ['face'], 'Bytes of stored uploads'),
  outputBytes: counter('winnow_output_bytes_total', ['face'], 'Bytes of outputs that were sent'),
  webhookAttempts: counter(
    'winnow_webhook_attempts_total',
    ['outcome'],
    'Attempts to deliver a webhook: delivered, failed or abandoned',
  ),
  retentionDeleted: counter(
    'winnow_retention_deleted_total',
    ['kind'],
    'Batches and files that retention has deleted, and batches whose content it has',
  ),
  providerBatches: gauge(
    'winnow_provider_batches',
    ['provider', 'state'],
    'Batches at providers that have not ended; of the whole database, by one process',
  ),
  buildInfo: gauge(
    'winnow_build_info',
    ['version', 'node', 'postgres', 'role'],
    '1, with what runs in its labels',
  ),
  ready: gauge('winnow_ready', [], '1 while /readyz answers 200, else 0'),
  storageFree: gauge(
    'winnow_storage_free_bytes',
    [],
    'Bytes that are free on the disk of DATA_DIR',
  ),
  storageSize: gauge('winnow_storage_size_bytes', [], 'Bytes of the disk of DATA_DIR'),
} as const satisfies Record<string, Definition>;
