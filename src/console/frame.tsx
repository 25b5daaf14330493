/** The frame of every page: the side bar and the state of the connection. */
import { type ReactNode, useEffect, useState } from 'react';
import { useSubscription } from 'urql';
import { Link, useLocation } from 'wouter';
import { CountsFields } from './data/batch-fields.ts';
import { connection } from './data/connection.ts';
import { graphql } from './data/graphql.ts';
import { useGraphiqlAddress } from './data/present-query.ts';
import { useStore } from './data/store.ts';
import { useLiveQuery } from './data/use-live-query.ts';
import { Button } from './parts/button.tsx';
import { useFavicon } from './parts/favicon.ts';
import { Notices } from './parts/notices.tsx';
import { OwnerLimitsFooter } from './parts/owner-limits.tsx';
import { ShortcutsDialog } from './parts/shortcut-list.tsx';
import { useShortcuts } from './parts/shortcuts.ts';
import { count, useTimes } from './words/numbers.ts';

/** The number of running batches, and the newest of them, which the icon of the page shows. */
const RunningBatches = graphql(
  `
    query RunningBatches {
      batches(first: 1, filter: { status: [QUEUED, PROCESSING, CANCELLING] }) {
        totalCount
        edges {
          node {
            id
            status
            counts {
              ...CountsFields
            }
          }
        }
      }
    }
  `,
  [CountsFields],
);

/** Keeps the WebSocket open, and the batches that the page has read up to date. */
const BatchStates = graphql(
  `
    subscription BatchStates {
      batchesChanged {
        id
        status
        counts {
          ...CountsFields
        }
      }
    }
  `,
  [CountsFields],
);

const places = [
  { to: '/', name: 'Batches', own: ['/', '/batches'] },
  { to: '/new', name: 'New batch', key: 'n', own: ['/new'] },
  { to: '/files', name: 'Files', own: ['/files'] },
  null,
  { to: '/playground', name: 'Playground', own: ['/playground'] },
  { to: '/models', name: 'Models and limits', own: ['/models'] },
] as const;

export function Frame({ children }: { children: ReactNode }) {
  const [path, go] = useLocation();
  const [menu, setMenu] = useState(false);
  const graphiql = useGraphiqlAddress();
  // A page that is opened from the menu closes it.
  useEffect(() => setMenu(false), [path]);
  useShortcuts({ n: () => go('/new') });
  const isAt = (own: readonly string[]) =>
    own.some((one) => (one === '/' ? path === '/' : path === one || path.startsWith(`${one}/`)));
  return (
    <div className="app">
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <header className="phone">
        <Mark /> Winnow
        <span className="grow" />
        <Button small aria-expanded={menu} aria-controls="side" onClick={() => setMenu(!menu)}>
          Menu
        </Button>
      </header>
      <nav id="side" className={menu ? 'side open' : 'side'} aria-label="Pages">
        <Link href="/" className="brand">
          <Mark /> Winnow
        </Link>
        {places.map((place) =>
          place === null ? (
            <hr key="rule" />
          ) : (
            <Link
              key={place.to}
              href={place.to}
              aria-current={isAt(place.own) ? 'page' : undefined}
            >
              {place.name}
              {place.to === '/' && <Running />}
              {'key' in place && (
                <small className="mono" aria-hidden="true">
                  {place.key}
                </small>
              )}
            </Link>
          ),
        )}
        <ConnectionState />
        <a href={graphiql}>GraphiQL</a>
        <Link href="/settings" aria-current={isAt(['/settings']) ? 'page' : undefined}>
          Settings
        </Link>
      </nav>
      <main id="page">
        <OfflineLine />
        {children}
        <OwnerLimitsFooter />
      </main>
      <Notices />
      <ShortcutsDialog />
    </div>
  );
}

function Running() {
  const [{ data }, ask] = useLiveQuery({ query: RunningBatches });
  const [{ data: changed }] = useSubscription({ query: BatchStates });
  useEffect(() => {
    if (!changed) return;
    const timer = setTimeout(() => ask({ requestPolicy: 'network-only' }), 500);
    return () => clearTimeout(timer);
  }, [changed?.batchesChanged.id, changed?.batchesChanged.status, ask]);
  const running = data?.batches.totalCount ?? 0;
  useFavicon(running > 0 ? (data?.batches.edges[0]?.node.counts ?? null) : null);
  return running > 0 ? <small>{count(running)} running</small> : null;
}

function ConnectionState() {
  const { state } = useStore(connection);
  const word = { connecting: 'Connecting', live: 'Live', offline: 'Offline, trying again' }[state];
  return (
    <div className={`connection ${state}`} role="status">
      {word}
    </div>
  );
}

function OfflineLine() {
  const now = useStore(connection);
  const times = useTimes();
  if (now.state !== 'offline') return null;
  const since = times.clock(new Date(now.since).toISOString(), true);
  return (
    <p className="offline">
      Offline since {since}. What is shown was read before; the page goes on by itself.
    </p>
  );
}

export function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" className="mark">
      <path d="M2.5 5h15M4.6 9h10.8M7 13h6" />
      <circle cx="10" cy="17.2" r="1.5" />
    </svg>
  );
}
