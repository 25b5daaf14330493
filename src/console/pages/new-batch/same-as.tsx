/** The form as GraphQL, as a command, as curl and as TypeScript. */
import { useState } from 'react';
import { addressOf, root } from '../../data/root.ts';
import { Button } from '../../parts/button.tsx';
import { buildSubmission, type Form } from './form.ts';
import { waysOf } from './ways.ts';

const names = ['GraphQL', 'command', 'curl', 'TypeScript'] as const;

export function SameAs({
  form,
  rows,
  fileName,
}: {
  form: Form;
  rows: number;
  fileName: string | null;
}) {
  const [way, setWay] = useState<(typeof names)[number]>('command');
  const [copied, setCopied] = useState(false);
  const { value } = buildSubmission(form, { rows });
  if (!value) return null;
  const url = `${location.origin}${root}`;
  const ways = waysOf(value, { url, fileName: fileName ?? 'texts.txt' });
  const text = {
    GraphQL: `${ways.graphql.query}\n\n# variables\n${ways.graphql.variables}`,
    command: ways.command,
    curl: ways.curl,
    TypeScript: ways.typescript,
  }[way];
  const { query, variables } = ways.graphql;
  return (
    <section className="card same-as" aria-label="Same as">
      <div className="row wrap">
        <h2>Same as</h2>
        <span className="grow" />
        <fieldset className="choices small">
          <legend className="hidden">Language</legend>
          {names.map((name) => (
            <button
              key={name}
              type="button"
              className={name === way ? 'chosen' : undefined}
              aria-pressed={name === way}
              onClick={() => {
                setWay(name);
                setCopied(false);
              }}
            >
              {name}
            </button>
          ))}
        </fieldset>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
      <section className="code mono" tabIndex={0} aria-label={`As ${way}`}>
        <pre>{text}</pre>
      </section>
      <div className="row end">
        {way === 'GraphQL' && variables.length < 4_000 && (
          <a
            className="button small"
            href={`${addressOf('/graphql')}?${new URLSearchParams({ query, variables })}`}
          >
            Open in GraphiQL
          </a>
        )}
        <Button
          small
          onClick={() => {
            void navigator.clipboard?.writeText(text).then(() => setCopied(true));
          }}
        >
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
    </section>
  );
}
