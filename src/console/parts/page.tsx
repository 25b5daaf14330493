/** Parts of every page: its title, and its heading, which the focus goes to. */
import { type ReactNode, useEffect, useRef } from 'react';

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Winnow`;
  }, [title]);
}

export function Heading({
  title,
  beside,
  actions,
}: {
  title: ReactNode;
  beside?: ReactNode;
  actions?: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // A page begins at its top; one that is come back to scrolls itself afterwards.
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="row wrap heading">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {beside}
      <span className="grow" />
      {actions && <div className="row act">{actions}</div>}
    </div>
  );
}
