/** Colours of the theme for what is drawn on a canvas, which does not take them from the styles. */
import { useEffect, useState } from 'react';

interface Colours {
  soft: string;
  line: string;
  grain: string;
  grainSoft: string;
  bad: string;
}

export function useColours(): Colours {
  const [colours, setColours] = useState(readColours);
  useEffect(() => {
    const read = () => setColours(readColours());
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const chosen = new MutationObserver(read);
    dark.addEventListener('change', read);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      dark.removeEventListener('change', read);
      chosen.disconnect();
    };
  }, []);
  return colours;
}

function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    soft: of('--soft'),
    line: of('--line'),
    grain: of('--grain'),
    grainSoft: of('--grain-soft'),
    bad: of('--bad'),
  };
}
