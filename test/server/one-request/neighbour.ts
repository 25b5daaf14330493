/**
 * The batch of another owner that goes on beside every attack: 600 slow calls, none of which may be
 * sent, and paid, twice.
 */
import { type StubProvider, startStubProvider } from '../../support/stub-provider.ts';

const calls = 600;
const callMs = 1_000;
/** A server that takes longer for one small request is as good as dead. */
const patienceMs = 20_000;

export interface Neighbour {
  /** The provider that it asks, by the name `slow`. */
  readonly provider: StubProvider;
  /** Submits a batch where none goes on. */
  keepBusy(server: Server): Promise<void>;
  /** What is wrong with its batch, in words. */
  problems(server: Server): Promise<string[]>;
  /** Its process was killed: what that one sent is sent again, and that batch given up. */
  startAnew(server: Server): Promise<void>;
}

interface Server {
  url: string;
  headers: Record<string, string>;
}

export async function startNeighbour(): Promise<Neighbour> {
  const provider = await startStubProvider();
  provider.reply({ delayMs: callMs });
  let batch: string | null = null;
  let batches = 0;

  async function read(server: Server) {
    const query = `{ batch(id: "${batch}") { status resentRequests counts { succeeded failed } } }`;
    return (await ask(server, query)).batch as {
      status: string;
      resentRequests: number;
      counts: { succeeded: number; failed: number };
    };
  }

  return {
    provider,
    async keepBusy(server) {
      if (batch !== null && (await read(server)).status !== 'COMPLETED') return;
      batches += 1;
      provider.requests.length = 0;
      const texts = Array.from({ length: calls }, (_, index) => `${batches} ${index}`);
      const input = `{operation: {run: {instructions: "x", model: "slow/rules"}},
        source: {texts: ${JSON.stringify(texts)}}}`;
      const { submitBatch } = await ask(
        server,
        `mutation { submitBatch(input: ${input}) { batch { id } } }`,
      );
      batch = submitBatch.batch.id;
    },
    async problems(server) {
      if (batch === null) return [];
      const seen = await read(server).catch((error: unknown) => error as Error);
      if (seen instanceof Error) return [`another owner cannot read its batch: ${seen.message}`];
      const { status, resentRequests, counts } = seen;
      const sent = provider.requests.length;
      const texts = new Set(provider.requests.map(({ body }) => body.messages.at(-1).content));
      return [
        ...(resentRequests > 0 ? [`another owner is told of ${resentRequests} resent calls`] : []),
        ...(texts.size < sent
          ? [`${sent - texts.size} calls of another owner were paid twice`]
          : []),
        ...(counts.failed > 0 ? [`${counts.failed} items of another owner failed`] : []),
        ...(status === 'COMPLETED' && sent !== calls ? [`the provider saw ${sent} calls`] : []),
      ];
    },
    async startAnew(server) {
      if (batch !== null)
        await ask(server, `mutation { cancelBatch(id: "${batch}") { batch { id } } }`);
      batch = null;
    },
  };
}

/** Throws an error that says what the server did not do, also where it never answers. */
async function ask({ url, headers }: Server, query: string): Promise<Record<string, any>> {
  let answer: { data: any; errors?: unknown };
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
      signal: AbortSignal.timeout(patienceMs),
    });
    answer = (await response.json()) as typeof answer;
  } catch (error) {
    const why =
      Object(error).name === 'TimeoutError'
        ? `the server must answer within ${patienceMs / 1_000} s`
        : String(error);
    throw new Error(why, { cause: error });
  }
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}
