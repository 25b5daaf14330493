import { Heading, usePageTitle } from '../../parts/page.tsx';

export function BatchPage({ id }: { id: string }) {
  usePageTitle('Batch');
  return <Heading title={id} />;
}
