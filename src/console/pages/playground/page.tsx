import { Heading, usePageTitle } from '../../parts/page.tsx';

export function PlaygroundPage() {
  usePageTitle('Playground');
  return <Heading title="Playground" />;
}
