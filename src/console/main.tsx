/** Shows the console in its page. */
// Before the pages, whose own styles stand behind them.
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/frame.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { App } from './app.tsx';
import { DataProvider } from './data/provider.tsx';
import { root } from './data/root.ts';

const place = document.getElementById('app');
if (!place) throw new Error('The page has no place for the console');

createRoot(place).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <DataProvider>
        <Router base={`${root}/console`}>
          <App />
        </Router>
      </DataProvider>
    </CSPProvider>
  </StrictMode>,
);
