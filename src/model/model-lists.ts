/** Lists of models of the user's own servers: `GET /models`, asked when first needed. */
import { withDeadline } from '../core/deadline.ts';
import { isRecord, recordsOf } from '../core/json.ts';
import type { Log } from './model.ts';

export interface ModelLists {
  /** The provider's models, as it said last; null where it was not asked, or said nothing. */
  known(provider: string): ReadonlySet<string> | null;
  /** Asks unless it was asked a short while ago. Never rejects. */
  ask(provider: string): Promise<void>;
}

/** Nobody waits longer for a list. */
const askMs = 2_000;
const keptMs = 10 * 60_000;
/** Time after which a server that gave no list is asked again. */
const failedMs = 60_000;
/** A router has some hundreds. */
const maxNames = 2_000;
export const maxNameChars = 200;

interface Entry {
  names: ReadonlySet<string> | null;
  until: number;
  asking: Promise<void> | null;
}

/** `ask` fetches the answer of one provider, as it came. `now` is a clock in milliseconds. */
export function createModelLists({
  ask,
  log,
  now = Date.now,
}: {
  ask: (provider: string, signal: AbortSignal) => Promise<string>;
  log: Log | null;
  now?: () => number;
}): ModelLists {
  const entries = new Map<string, Entry>();

  async function read(provider: string, entry: Entry): Promise<void> {
    try {
      const late = () => new Error('no list of models in time');
      const deadline = { signal: null, afterMs: askMs, late };
      entry.names = namesIn(await withDeadline(deadline, (signal) => ask(provider, signal)));
      entry.until = now() + keptMs;
    } catch {
      // Many servers have no list. The one of before is better than none.
      entry.until = now() + failedMs;
      log?.info({ provider }, 'the provider lists no models; asked again in a minute');
    }
  }

  return {
    known: (provider) => entries.get(provider)?.names ?? null,
    async ask(provider) {
      const entry = entries.get(provider) ?? { names: null, until: 0, asking: null };
      entries.set(provider, entry);
      if (now() < entry.until) return;
      entry.asking ??= read(provider, entry).finally(() => {
        entry.asking = null;
      });
      await entry.asking;
    },
  };
}

/** `{data: [{id}]}` as OpenAI and Anthropic have it, or such a list alone; else throws. */
function namesIn(text: string): ReadonlySet<string> {
  const body: unknown = JSON.parse(text);
  const list = isRecord(body) ? body.data : body;
  if (!Array.isArray(list)) throw new TypeError('The answer must be a list of models.');
  const names = recordsOf(list)
    .map(({ id }) => id)
    .filter((id) => typeof id === 'string')
    .filter(isModelName);
  return new Set(names.slice(0, maxNames));
}

/** True of a name that a provider may know a model by. */
export function isModelName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return name !== '' && name.length <= maxNameChars && !/[\s\u0000-\u001f\u007f]/.test(name);
}
