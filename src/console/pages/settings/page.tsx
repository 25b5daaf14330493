/** This browser's settings of the console, and the server's own facts. */
import { useState } from 'react';
import { graphql, type ResultOf } from '../../data/graphql.ts';
import { forgetKey, key } from '../../data/key.ts';
import { usePresentQuery } from '../../data/present-query.ts';
import { useStore } from '../../data/store.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Button } from '../../parts/button.tsx';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { PartError, Skeleton } from '../../parts/part.tsx';
import { ShortcutList } from '../../parts/shortcut-list.tsx';
import { setShortcuts, shortcutsOn } from '../../parts/shortcuts.ts';
import { readTheme, setTheme, type Theme } from '../../parts/theme-choice.ts';
import { bytes, count, setTimeZone, timeZone, useTimes } from '../../words/numbers.ts';
import { Choice } from './choice.tsx';
import './settings.css';

const ServerFacts = graphql(`
  query ServerFacts {
    service {
      owner
      version
      defaultModel
      priceListDate
      limits {
        fileBytes
        fileRows
        inlineItems
        pageSize
        syncItems
      }
    }
  }
`);

export function SettingsPage() {
  usePageTitle('Settings');
  return (
    <>
      <Heading title="Settings" />
      <div className="stack settings">
        <Looks />
        <Keyboard />
        <Key />
        <Server />
      </div>
    </>
  );
}

function Looks() {
  const [theme, choose] = useState<Theme>(readTheme);
  const zone = useStore(timeZone);
  const times = useTimes();
  return (
    <section className="card" aria-labelledby="looks">
      <h2 id="looks">Looks</h2>
      <Choice
        legend="Theme"
        value={theme}
        options={{ system: 'As the system', light: 'Light', dark: 'Dark' }}
        onChoose={(next) => {
          setTheme(next);
          choose(next);
        }}
      />
      <Choice
        legend="Times"
        value={zone}
        options={{ local: 'Local', utc: 'UTC' }}
        onChoose={setTimeZone}
      />
      <p className="soft small">Now: {times.exact(new Date().toISOString())}</p>
    </section>
  );
}

function Keyboard() {
  const on = useStore(shortcutsOn);
  return (
    <section className="card" aria-labelledby="keyboard">
      <h2 id="keyboard">Keyboard</h2>
      <label className="tick">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => setShortcuts(event.target.checked)}
        />
        Shortcuts of one letter
      </label>
      <p className="soft small">
        Without them everything is reached by Tab, the arrows, Enter and Space.
      </p>
      {on && <ShortcutList />}
    </section>
  );
}

function Key() {
  const given = useStore(key);
  return (
    <section className="card" aria-labelledby="key">
      <h2 id="key">API key</h2>
      {given === null ? (
        <p className="soft">No key was given in this tab.</p>
      ) : (
        <>
          <p className="soft">
            The key is kept in this tab alone, and is gone when the tab is closed.
          </p>
          <Button onClick={forgetKey}>Forget the key</Button>
        </>
      )}
    </section>
  );
}

function Server() {
  const [{ data, error }, ask] = useLiveQuery({ query: ServerFacts });
  usePresentQuery(ServerFacts, {});
  return (
    <section className="card" aria-labelledby="server">
      <h2 id="server">Server</h2>
      {data ? (
        <Facts {...data.service} />
      ) : error ? (
        <PartError
          error={error}
          again={() => ask({ requestPolicy: 'network-only' })}
          what="What the server says of itself"
        />
      ) : (
        <Skeleton lines={6} height={28} />
      )}
    </section>
  );
}

function Facts({
  owner,
  version,
  defaultModel,
  priceListDate,
  limits,
}: ResultOf<typeof ServerFacts>['service']) {
  const priceDay = new Date(priceListDate).toLocaleDateString(navigator.language, {
    dateStyle: 'long',
    timeZone: 'UTC',
  });
  const facts = [
    ['Your key is that of', owner ?? 'nobody: this server needs no key'],
    ['Version', version],
    ['Default model', defaultModel],
    ['Built-in prices of', priceDay],
    ['A file', `at most ${bytes(limits.fileBytes)}, ${count(limits.fileRows)} rows`],
    ['A batch without a file', `at most ${count(limits.inlineItems)} items`],
    ['Asked at once', `at most ${count(limits.syncItems)} items`],
    ['A page of a list', `at most ${count(limits.pageSize)} entries`],
  ] as const;
  return (
    <dl className="settled">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
