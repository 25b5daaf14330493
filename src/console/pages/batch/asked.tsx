/** The options of a batch in words. */
import type { ReactNode } from 'react';
import { When } from '../../parts/when.tsx';
import { hasEnded } from '../../words/batch-state.ts';
import { oneLine } from '../../words/text.ts';
import type { Batch } from './documents.ts';

/** Names of options as people say them; others stand as they are called in the API. */
const words: Readonly<Record<string, string>> = {
  categories: 'Label as',
  instructions: 'Instructions',
  fields: 'Fields',
  schema: 'Extract',
  responseFormat: 'Form of the answer',
  multiLabel: 'Several labels',
  allowNone: 'No label allowed',
  temperature: 'Temperature',
  examples: 'Examples',
  referenceDate: 'Written on',
  includeContext: 'With other columns',
  userPromptTemplate: 'Template',
  systemPrompt: 'System prompt',
};

/** Options in the order of their importance, each with its value on one line. */
export function askedFacts(options: Batch['options'], characters = 200): [string, string][] {
  const order = Object.keys(words);
  const rank = (name: string) => (order.indexOf(name) + order.length + 1) % (order.length + 1);
  return Object.entries(options)
    .filter(([name, value]) => name !== 'model' && value !== null && value !== false)
    .sort(([first], [second]) => rank(first) - rank(second))
    .map(([name, value]) => [words[name] ?? name, oneLine(valueWords(name, value), characters)]);
}

function valueWords(name: string, value: unknown): string {
  if (value === true) return 'yes';
  if (typeof value === 'string') return value;
  if (name === 'examples' && Array.isArray(value)) return `${value.length}`;
  if (Array.isArray(value)) {
    const names = value.map((one) => (isNamed(one) ? one.name : one));
    if (names.every((one) => typeof one === 'string')) return names.join(', ');
  }
  return JSON.stringify(value);
}

function isNamed(value: unknown): value is { name: string } {
  return typeof value === 'object' && value !== null && 'name' in value;
}

export function Asked({ batch, onSent }: { batch: Batch; onSent: () => void }) {
  const ended = hasEnded(batch);
  return (
    <section className="card" aria-label="What was asked">
      <div className="row">
        <h2>What was asked</h2>
        <span className="grow" />
        <button type="button" className="link-button note" onClick={onSent}>
          As it was sent
        </button>
      </div>
      <dl className="facts-list">
        {askedFacts(batch.options)
          .slice(0, 4)
          .map(([name, value]) => (
            <Fact key={name} name={name}>
              <span className="lines name">{value}</span>
            </Fact>
          ))}
        {batch.webhookUrl && (
          <Fact name="Told at the end">
            <span className="cut name">
              {oneLine(batch.webhookUrl.replace(/^https?:\/\//, ''))}
            </span>
          </Fact>
        )}
        <Fact name="Submitted">
          <When at={batch.createdAt} as="soon" />
        </Fact>
        {batch.completedAt ? (
          <Fact name="Ended">
            <When at={batch.completedAt} as="soon" />
          </Fact>
        ) : (
          !ended && (
            <Fact name="Gives up">
              <When at={batch.expiresAt} as="soon" />
            </Fact>
          )
        )}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
