/**
 * What one subscriber has still to see: the latest value under each key, in order of arrival. A slow reader costs one
 * value per key and misses intermediate states only; nobody shares a buffer with anybody.
 */
export interface Channel<Value> extends AsyncIterableIterator<Value> {
  push(key: unknown, value: Value): void;
  /** The reader gets what is left, then the end. */
  end(): void;
  /** The reader has gone: pending and later reads end at once. */
  return(): Promise<IteratorResult<Value>>;
}

/** `onClose` runs once, when the channel has been read to its end or its reader has gone. */
export function createChannel<Value>(onClose: () => void): Channel<Value> {
  const latest = new Map<unknown, Value>();
  let reader: ((result: IteratorResult<Value>) => void) | null = null;
  let ended = false;
  let closed = false;

  function close(): IteratorResult<Value> {
    if (!closed) {
      closed = true;
      ended = true;
      latest.clear();
      onClose();
    }
    return { done: true, value: undefined };
  }

  return {
    push(key, value) {
      if (ended) return;
      if (reader) {
        reader({ done: false, value });
        reader = null;
      } else {
        latest.set(key, value);
      }
    },
    end() {
      ended = true;
      if (reader) {
        reader(close());
        reader = null;
      }
    },
    next() {
      for (const [key, value] of latest) {
        latest.delete(key);
        return Promise.resolve({ done: false, value });
      }
      if (ended) return Promise.resolve(close());
      return new Promise((resolve) => {
        reader = resolve;
      });
    },
    return() {
      const result = close();
      reader?.(result);
      reader = null;
      return Promise.resolve(result);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
