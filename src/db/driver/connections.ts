/** The connections of a process, divided among its parts. */

export interface Connections {
  /** For the engine: claims, marks, flushes, heartbeat, upkeep and webhooks. */
  engine: number;
  /** For statements of requests. */
  requests: number;
  /** For COPY, in each direction. */
  copies: number;
}

/** `total`: how many connections the process may open, the one that listens included; 8 or more. */
export function divideConnections(total: number, { serves }: { serves: boolean }): Connections {
  const left = total - 1;
  if (!serves) return { engine: left, requests: 0, copies: 0 };
  const copies = Math.floor(total / 6);
  const requests = Math.floor((left - 2 * copies) / 2);
  return { engine: left - 2 * copies - requests, requests, copies };
}
