/**
 * A name with a slash, where a provider stands before it, has two readings: a model of that provider,
 * or the whole name as a server has it that calls its models so (`openai/gpt-oss-20b`).
 */
import { type Model, ModelError } from './model.ts';

export interface ReadingsOptions {
  /** The name behind the slash at the provider before it. */
  cut: Model;
  /** The whole name at the provider that is asked. */
  whole: () => Model;
  /** What the lists say; null where they do not tell. */
  isWhole: () => boolean | null;
  /** Asks for the list that would tell; null where that is not worth a question. */
  ask: (() => Promise<void>) | null;
}

/** A model of two readings. The list decides, and where there is none, the provider's answer. */
export function createReadings({ cut, whole, isWhole, ask }: ReadingsOptions): Model {
  /** Once an answer has told. */
  let found: Model | null = null;

  const likely = (): Model => found ?? (isWhole() ? whole() : cut);

  async function settled(): Promise<Model> {
    if (!found && ask && isWhole() === null) await ask();
    return likely();
  }

  /** What is tried once where a provider has no model of the id `asked`. */
  const other = (asked: string): Model | null =>
    found || asked !== cut.id || isWhole() !== null ? null : whole();

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
    get gate() {
      return likely().gate;
    },
    get batches() {
      return likely().batches;
    },
    bodyOf: (request) => likely().bodyOf(request),
    async send(request, options) {
      const model = found ?? (await settled());
      try {
        const answer = await model.send(request, options);
        found = model;
        return answer;
      } catch (error) {
        const next = isUnknown(error) ? other(model.id) : null;
        if (!next) throw error;
        const answer = await next.send(request, options);
        found = next;
        return answer;
      }
    },
    readings: {
      settled,
      ruleOut(asked) {
        const next = other(asked);
        if (next) found = next;
        return next !== null;
      },
      get told() {
        const shown = ({ name, provider }: Model) => `${JSON.stringify(name)} of ${provider}`;
        return `The name was read as ${shown(cut)} and as ${shown(whole())}; provider/name says which.`;
      },
    },
  };
}

function isUnknown(error: unknown): boolean {
  return error instanceof ModelError && error.failure.code === 'UNKNOWN_MODEL';
}
