/** All keys of the page, as a list, and as the dialog that `?` opens. */
import { useState } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { useShortcuts } from './shortcuts.ts';

const keys = [
  ['n', 'New batch'],
  ['/', 'Find in the list'],
  ['j', 'Next row'],
  ['k', 'Row before'],
  ['enter', 'Open the row'],
  ['x', 'Select the row'],
  ['esc', 'Back: close what is open, clear the selection'],
  ['?', 'All shortcuts'],
] as const;

export function ShortcutList() {
  return (
    <dl className="keys">
      {keys.map(([key, does]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  );
}

export function ShortcutsDialog() {
  const [open, setOpen] = useState(false);
  useShortcuts({ '?': () => setOpen(true) });
  return (
    <Dialog
      open={open}
      title="Shortcuts"
      onClose={() => setOpen(false)}
      actions={<Button onClick={() => setOpen(false)}>Close</Button>}
    >
      <ShortcutList />
    </Dialog>
  );
}
