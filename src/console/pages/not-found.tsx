/** For addresses below /console that lead nowhere. */
import { ButtonLink } from '../parts/button.tsx';
import { Heading, usePageTitle } from '../parts/page.tsx';

export function NotFoundPage() {
  usePageTitle('No such page');
  return (
    <>
      <Heading title="There is no such page" />
      <ButtonLink to="/">All batches</ButtonLink>
    </>
  );
}
