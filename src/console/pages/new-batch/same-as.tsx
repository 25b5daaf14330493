/** Each step of the form as GraphQL, as a command, as curl and as TypeScript. */
import { useState } from 'react';
import { key } from '../../data/key.ts';
import { addressOf, root } from '../../data/root.ts';
import { useStore } from '../../data/store.ts';
import { Button } from '../../parts/button.tsx';
import type { Submission } from './submission.ts';
import { type StepName, stepNames, type Way, waysOf } from './ways.ts';

const names = ['GraphQL', 'command', 'curl', 'TypeScript'] as const;
type Language = (typeof names)[number];

/** A longer address is not opened by every server on the way. */
const mostCharacters = 4_000;

export function SameAs({
  input,
  texts,
  fileName,
}: {
  input: Submission;
  /** Those that were pasted. */
  texts: readonly string[];
  fileName: string | null;
}) {
  const [chosen, setStep] = useState<StepName>('Run');
  const [name, setName] = useState<Language>('command');
  const withKey = useStore(key) !== null;
  const place = { url: `${location.origin}${root}`, fileName: fileName ?? 'texts.txt', withKey };
  const ways = stepNames.flatMap((step) => {
    const way = waysOf(step, input, { ...place, texts });
    return way ? [{ step, way }] : [];
  });
  const shown = ways.find(({ step }) => step === chosen) ?? ways.at(-1);
  if (!shown) return null;
  return (
    <section className="card same-as" aria-label="Same as">
      <div className="row wrap">
        <h2>Same as</h2>
        <span className="grow" />
        <select
          className="input step-choice"
          aria-label="Step"
          value={shown.step}
          onChange={(event) => setStep(event.target.value as StepName)}
        >
          {ways.map(({ step }) => (
            <option key={step}>{step}</option>
          ))}
        </select>
        <Languages chosen={name} onChoose={setName} />
      </div>
      <Code key={`${shown.step} ${name}`} way={shown.way} name={name} />
    </section>
  );
}

function Languages({ chosen, onChoose }: { chosen: Language; onChoose: (name: Language) => void }) {
  return (
    <fieldset className="choices small">
      <legend className="hidden">Language</legend>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          className={name === chosen ? 'chosen' : undefined}
          aria-pressed={name === chosen}
          onClick={() => onChoose(name)}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}

function Code({ way, name }: { way: Way; name: Language }) {
  const [copied, setCopied] = useState(false);
  const { query, variables } = way.graphql;
  const text = {
    GraphQL: `${query}\n\n# variables\n${variables}`,
    command: way.command,
    curl: way.curl,
    TypeScript: way.typescript,
  }[name];
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
      <section className="code mono" tabIndex={0} aria-label={`As ${name}`}>
        <pre>{text}</pre>
      </section>
      <div className="row end">
        {name === 'GraphQL' && variables.length < mostCharacters && (
          <a
            className="button small"
            href={`${addressOf('/graphql')}?${new URLSearchParams({ query, variables })}`}
          >
            Open in GraphiQL
          </a>
        )}
        {/* Browsers have none on pages that come over plain http from another machine. */}
        {navigator.clipboard && (
          <Button
            small
            onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </div>
    </>
  );
}
