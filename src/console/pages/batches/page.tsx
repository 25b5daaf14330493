import { Heading, usePageTitle } from '../../parts/page.tsx';

export function BatchesPage() {
  usePageTitle('Batches');
  return <Heading title="Batches" />;
}
