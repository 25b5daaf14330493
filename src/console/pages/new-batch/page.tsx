import { Heading, usePageTitle } from '../../parts/page.tsx';

export function NewBatchPage() {
  usePageTitle('New batch');
  return <Heading title="New batch" />;
}
