/**
 * The model calls that one owner may have at once, in front of the gates of all models. Who waits
 * here has no place of a model, so that nobody else waits for it.
 */
import { setMaxListeners } from 'node:events';
import type { Gate, Permit } from './permit.ts';

export interface OwnerCalls {
  readonly inFlight: number;
  /** The gate as the owner passes it: the same object for the same gate. */
  gateOf(gate: Gate): Gate;
}

/** `most`: calls at once, at least 1. */
export function createOwnerCalls(most: number): OwnerCalls {
  let inFlight = 0;
  /** Somebody was told that there is no place, and hears of the next one. */
  let isAwaited = false;
  const waiting = new Set<() => void>();
  const listeners = new Set<{ tell: () => void }>();
  const gates = new WeakMap<Gate, Gate>();

  /** Places for those who do not wait. */
  const placesLeft = () => Math.max(0, most - inFlight - waiting.size);

  function end(): void {
    inFlight -= 1;
    for (const begin of waiting) {
      if (inFlight >= most) return;
      waiting.delete(begin);
      begin();
    }
    if (!isAwaited || placesLeft() === 0) return;
    isAwaited = false;
    for (const { tell } of listeners) tell();
  }

  async function takePlace(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (placesLeft() > 0) {
      inFlight += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.delete(begin);
        reject(signal.reason);
      };
      const begin = () => {
        signal.removeEventListener('abort', leave);
        inFlight += 1;
        resolve();
      };
      waiting.add(begin);
      // All items of a request wait on one signal.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives the owner's place back with the permit. */
  function placed(permit: Permit): Permit {
    let isReleased = false;
    return {
      get requests() {
        return permit.requests;
      },
      begin: (tokens) => permit.begin(tokens),
      observe: (headers) => permit.observe(headers),
      settle: (tokens) => permit.settle(tokens),
      release(outcome, reason) {
        permit.release(outcome, reason);
        if (isReleased) return;
        isReleased = true;
        end();
      },
    };
  }

  function room(gate: Gate, atMost: number): number {
    const places = placesLeft();
    if (places === 0) isAwaited = true;
    return places === 0 ? 0 : gate.room(Math.min(atMost, places));
  }

  function open(gate: Gate): Gate {
    return {
      get answered() {
        return gate.answered;
      },
      async enter(signal) {
        await takePlace(signal);
        try {
          return placed(await gate.enter(signal));
        } catch (error) {
          end();
          throw error;
        }
      },
      tryEnter() {
        if (placesLeft() === 0) {
          isAwaited = true;
          return null;
        }
        const permit = gate.tryEnter();
        if (!permit) return null;
        inFlight += 1;
        return placed(permit);
      },
      isOpen: () => room(gate, 1) > 0,
      room: (atMost) => room(gate, atMost),
      onOpen(listener) {
        const heard = { tell: listener };
        listeners.add(heard);
        const leave = gate.onOpen(listener);
        return () => {
          listeners.delete(heard);
          leave();
        };
      },
      blocked: () => gate.blocked(),
    };
  }

  return {
    get inFlight() {
      return inFlight;
    },
    gateOf(gate) {
      const known = gates.get(gate) ?? open(gate);
      gates.set(gate, known);
      return known;
    },
  };
}
