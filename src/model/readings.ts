/**
 * A name with a slash, where a provider stands before it, has two readings: a model of that
 * provider, or the whole name as a server has it that calls its models so (`openai/gpt-oss-20b`).
 */
import type { Model } from './model.ts';

export interface ReadingsOptions {
  /** The name behind the slash at the provider before it. */
  cut: Model;
  /** The whole name at the provider that is asked. */
  whole: () => Model;
  /** The lists' verdict; null where they do not tell. */
  isWhole: () => boolean | null;
  /** Asks for the list that would tell; null where that is not worth a question. */
  ask: (() => Promise<void>) | null;
}

/** A model of two readings. The list decides, else the provider's answers, as senders tell. */
export function createReadings({ cut, whole, isWhole, ask }: ReadingsOptions): Model {
  /** The one that has answered, or that is tried since the other one was ruled out. */
  let found: { model: Model; hasAnswered: boolean } | null = null;

  const likely = (): Model => found?.model ?? (isWhole() ? whole() : cut);

  return {
    get id() {
      return likely().id;
    },
    get provider() {
      return likely().provider;
    },
    get name() {
      return likely().name;
    },
    get dialect() {
      return likely().dialect;
    },
    get gate() {
      return likely().gate;
    },
    get batches() {
      return likely().batches;
    },
    get promptCache() {
      return likely().promptCache;
    },
    bodyOf: (request) => likely().bodyOf(request),
    send: (request, options) => likely().send(request, options),
    stream: (request, options) => likely().stream(request, options),
    readings: {
      async chosen() {
        if (!found && ask && isWhole() === null) await ask();
        return likely();
      },
      confirm(model) {
        if (!found?.hasAnswered) found = { model, hasAnswered: true };
      },
      ruleOut(asked, { back }) {
        if (found?.hasAnswered || isWhole() !== null) return null;
        // A model that is not there today may be there tomorrow.
        found = asked === cut.id ? { model: whole(), hasAnswered: false } : null;
        return found?.model ?? (back ? cut : null);
      },
      get told() {
        const shown = ({ name, provider }: Model) => `${JSON.stringify(name)} of ${provider}`;
        return `The name was read as ${shown(cut)} and as ${shown(whole())}; provider/name says which.`;
      },
    },
  };
}
