/** Models and limits: how each provider does, its models with prices, the workers, the spending. */
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { Models } from './models.tsx';
import { Providers } from './providers.tsx';
import { Spending } from './spending.tsx';
import { Workers } from './workers.tsx';
import './models.css';

export function ModelsPage() {
  usePageTitle('Models and limits');
  return (
    <>
      <Heading title="Models and limits" />
      <div className="stack models">
        <Providers />
        <Workers />
        <Spending />
        <Models />
      </div>
    </>
  );
}
