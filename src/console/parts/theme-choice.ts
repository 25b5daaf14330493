/** The theme that was chosen in this browser; theme.ts applies it before anything is drawn. */
export type Theme = 'system' | 'light' | 'dark';

const entry = 'winnow.theme';

export function readTheme(): Theme {
  const chosen = localStorage.getItem(entry);
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') {
    localStorage.removeItem(entry);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(entry, theme);
    document.documentElement.dataset.theme = theme;
  }
}
