import { Heading, usePageTitle } from '../../parts/page.tsx';

export function FilesPage() {
  usePageTitle('Files');
  return <Heading title="Files" />;
}
