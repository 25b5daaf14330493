/**
 * What a model is sent, seen from outside: an app with a scripted provider, and operations run
 * through GraphQL.
 */
import type { Answer } from '../../support/app.ts';
import { type StubApp, startStubApp } from '../../support/stub-app.ts';
import { completion } from '../../support/stub-provider.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

export interface Sending extends StubApp {
  /** The bodies that were sent since the last `answer`, oldest first. */
  bodies(): Data[];
  /** What the model writes from now on; forgets what was sent. */
  answer(content: unknown): void;
  /** Runs an operation at once; answers what GraphQL said. */
  run(operation: string, items: unknown, options: object): Promise<Answer>;
  /** Submits a batch, waits for its end, answers its items. */
  batch(operation: string, source: object, options: object): Promise<Data[]>;
  close(): Promise<void>;
}

export async function startSending(env: Record<string, string> = {}): Promise<Sending> {
  const { app, stub } = await startStubApp(() => env);
  return {
    app,
    stub,
    bodies: () => stub.requests.map(({ body }) => body),
    answer(content) {
      stub.requests.length = 0;
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      stub.reply({ body: completion(text) });
    },
    run(operation, items, options) {
      const type = `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Options!`;
      return app.graphql(
        `mutation ($items: [ItemInput!]!, $options: ${type}) {
          ${operation}(items: $items, options: $options) { results { error { code message } } }
        }`,
        { items, options },
      );
    },
    async batch(operation, source, options) {
      const { data, errors } = await app.graphql(submitMutation, {
        input: { operation: { [operation]: options }, source },
      });
      if (errors) throw new Error(JSON.stringify(errors));
      const id = data?.submitBatch.batch.id as string;
      await untilEnded(app, id);
      const read = await app.graphql(
        'query ($id: ID!) { batch(id: $id) { items { edges { node { index output error { code message } } } } } }',
        { id },
      );
      return read.data?.batch.items.edges.map(({ node }: Data) => node);
    },
    close: () => app.stop(),
  };
}

/** What is wrong with an input, as `path: message`. */
export function issuesOf({ errors }: Answer): string[] {
  const issues: { path: string; message: string }[] = errors?.[0]?.extensions.issues ?? [];
  return issues.map(({ path, message }) => `${path}: ${message}`);
}
