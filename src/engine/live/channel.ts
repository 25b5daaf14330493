/**
 * The values that one subscriber has still to see: the latest under each key, in order of arrival.
 * A slow reader costs one value per key and misses intermediate states only; nobody shares a buffer
 * with anybody.
 */
export interface Channel<Value> extends AsyncIterableIterator<Value> {
  push(key: unknown, value: Value): void;
  /** The reader gets what is left, then the end. */
  end(): void;
  /** The reader gets what is left, then this error, and the end behind it. */
  fail(error: Error): void;
  /** The reader has gone: pending and later reads end at once. */
  return(): Promise<IteratorResult<Value>>;
}

/** `onClose` runs once, when the channel has been read to its end or its reader has gone. */
export function createChannel<Value>(onClose: () => void): Channel<Value> {
  const latest = new Map<unknown, Value>();
  let reader: {
    resolve: (result: IteratorResult<Value>) => void;
    reject: (error: Error) => void;
  } | null = null;
  let failure: Error | null = null;
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
        reader.resolve({ done: false, value });
        reader = null;
      } else {
        latest.set(key, value);
      }
    },
    end() {
      ended = true;
      if (reader) {
        reader.resolve(close());
        reader = null;
      }
    },
    fail(error) {
      if (ended) return;
      if (reader) {
        close();
        reader.reject(error);
        reader = null;
      } else {
        ended = true;
        failure = error;
      }
    },
    next() {
      for (const [key, value] of latest) {
        latest.delete(key);
        return Promise.resolve({ done: false, value });
      }
      if (ended) {
        const error = failure;
        failure = null;
        const end = close();
        return error === null ? Promise.resolve(end) : Promise.reject(error);
      }
      return new Promise((resolve, reject) => {
        reader = { resolve, reject };
      });
    },
    return() {
      const result = close();
      failure = null;
      reader?.resolve(result);
      reader = null;
      return Promise.resolve(result);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
