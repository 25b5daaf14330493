/** Chooses the theme before anything is drawn: a script of its own, which the page waits for. */
const chosen = localStorage.getItem('winnow.theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
