/** Subscriptions of the client over a client of graphql-ws. */

/** The payload for a client of graphql-ws. */
export interface SubscribePayload {
  query: string;
  variables: Record<string, unknown>;
}

/** Where a client of graphql-ws puts what it gets. */
export interface SubscribeSink {
  next(value: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Subscribes over a client of graphql-ws: `(payload) => client.iterate(payload)`, or
 * `(payload, sink) => client.subscribe(payload, sink)`.
 */
export type Subscribe = (
  payload: SubscribePayload,
  sink: SubscribeSink,
) => AsyncIterable<unknown> | (() => void);
