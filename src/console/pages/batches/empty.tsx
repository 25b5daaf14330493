/** The list before there is a batch: three ways in. */
import { type DragEvent, type ReactNode, useState } from 'react';
import { useLocation } from 'wouter';
import { type Beginning, beginWith } from '../../data/beginning.ts';
import { complain } from '../../parts/notices.tsx';
import { demoBeginning } from './demo.ts';
import './empty.css';

export function FirstSteps() {
  const [, go] = useLocation();
  const [over, setOver] = useState(false);
  const [fetching, setFetching] = useState(false);
  function begin(beginning: Beginning): void {
    beginWith(beginning);
    go('/new');
  }
  async function beginDemo(): Promise<void> {
    setFetching(true);
    try {
      begin(await demoBeginning());
    } catch {
      setFetching(false);
      complain('The demo’s questions could not be read from the server.');
    }
  }
  function drop(event: DragEvent): void {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) begin({ file });
  }
  return (
    <section className="first-steps" aria-labelledby="first-steps">
      <h2 id="first-steps">Ask a model about every row of your data</h2>
      <p className="soft">There is no batch yet. Three ways to the first one:</p>
      <ul>
        <li>
          <label
            className={over ? 'card way over' : 'card way'}
            onDragOver={(event) => {
              event.preventDefault();
              setOver(true);
            }}
            onDragLeave={() => setOver(false)}
            onDrop={drop}
          >
            <input
              type="file"
              className="hidden"
              onChange={({ target }) => {
                const file = target.files?.[0];
                if (file) begin({ file });
              }}
            />
            <b>Drop a file</b>
            <span className="soft">or choose one: CSV, JSON, JSONL or text, a row an item.</span>
          </label>
        </li>
        <Way name="Paste texts" onClick={() => begin({ pastes: true })}>
          One a line, straight from a spreadsheet.
        </Way>
        <Way name="Try the demo" busy={fetching} onClick={() => void beginDemo()}>
          3,080 questions to a bank, sorted into 77 categories.
        </Way>
      </ul>
    </section>
  );
}

function Way({
  name,
  busy,
  onClick,
  children,
}: {
  name: string;
  busy?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <li>
      <button type="button" className="card way" aria-busy={busy || undefined} onClick={onClick}>
        <b>{name}</b>
        <span className="soft">{children}</span>
      </button>
    </li>
  );
}
