import { Heading, usePageTitle } from '../../parts/page.tsx';

export function ModelsPage() {
  usePageTitle('Models and limits');
  return <Heading title="Models and limits" />;
}
