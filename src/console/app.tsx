/** The pages and their addresses. */
import { Route, Switch } from 'wouter';
import { keyWanted } from './data/key.ts';
import { useStore } from './data/store.ts';
import { Frame } from './frame.tsx';
import { KeyPage } from './key-page.tsx';
import { BatchPage } from './pages/batch/page.tsx';
import { BatchesPage } from './pages/batches/page.tsx';
import { FilesPage } from './pages/files/page.tsx';
import { ModelsPage } from './pages/models/page.tsx';
import { NewBatchPage } from './pages/new-batch/page.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { PlaygroundPage } from './pages/playground/page.tsx';
import { SettingsPage } from './pages/settings/page.tsx';

export function App() {
  const wanted = useStore(keyWanted);
  if (wanted) return <KeyPage />;
  return (
    <Frame>
      <Switch>
        <Route path="/" component={BatchesPage} />
        <Route path="/new" component={NewBatchPage} />
        <Route path="/batches/:id">{({ id }) => <BatchPage key={id} id={id} />}</Route>
        <Route path="/files" component={FilesPage} />
        <Route path="/files/:id" component={FilesPage} />
        <Route path="/playground" component={PlaygroundPage} />
        <Route path="/models" component={ModelsPage} />
        <Route path="/settings" component={SettingsPage} />
        <Route component={NotFoundPage} />
      </Switch>
    </Frame>
  );
}
