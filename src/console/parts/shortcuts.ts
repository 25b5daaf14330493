/**
 * Keys of the page: one letter each, while no field has the focus. Settings switches them off
 * (WCAG 2.1.4).
 */
import { useEffect, useRef } from 'react';
import { createStore } from '../data/store.ts';

export const shortcutsOn = createStore(localStorage.getItem('winnow.shortcuts') !== 'off');

export function setShortcuts(on: boolean): void {
  if (on) localStorage.removeItem('winnow.shortcuts');
  else localStorage.setItem('winnow.shortcuts', 'off');
  shortcutsOn.set(on);
}

const typing =
  'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=textbox], [role=dialog] *';

export function useShortcuts(shortcuts: Readonly<Record<string, () => void>>): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const at = event.target as Element | null;
      if (at?.matches(typing)) return;
      const single = event.key.length === 1;
      if (single && !shortcutsOn.get()) return;
      const act = latest.current[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    }
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}
