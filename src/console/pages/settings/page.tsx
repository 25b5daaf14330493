import { Heading, usePageTitle } from '../../parts/page.tsx';

export function SettingsPage() {
  usePageTitle('Settings');
  return <Heading title="Settings" />;
}
