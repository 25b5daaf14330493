const dark = `
    --back: #1a2030; --text: #b7c2d7; --field: #212a3b; --line: #fff3; --good: #6fd39b; --bad: #ff8793;`;

/** Styles that the page adds to GraphiQL. */
export const graphiqlStyle = `<style>
  /* GraphiQL leaves its tabs displaced by an unfinished animation, and hides that until one has
     the focus: the tab jumps away under the first click. */
  .graphiql-tab { transform: none !important }
  .graphiql-container .graphiql-tabs { gap: 4px }
  /* All tabs fit beside the button for another one. */
  @media (max-width: 1399px) {
    .graphiql-container .graphiql-tabs { gap: 2px }
    .graphiql-container .graphiql-tab .graphiql-tab-button {
      font-size: 13px; padding-left: 6px; padding-right: 24px;
    }
  }
  .result-window .detected-link { cursor: pointer }
  body.winnow-keys { display: flex; flex-direction: column; height: 100vh; margin: 0 }
  .winnow-keys #root { flex: 1; min-height: 0 }
  .winnow-keys #root .graphiql-container { height: 100% }
  .winnow-key {
    --back: #f3f4f7; --text: #3b4b68; --field: #fff; --line: #0003; --good: #1a7f4b; --bad: #c62a3c;
    display: flex; align-items: center; gap: 12px; padding: 6px 12px;
    font: 14px system-ui, sans-serif; background: var(--back); color: var(--text);
    border-bottom: 1px solid var(--line);
  }
  .graphiql-dark .winnow-key {${dark}
  }
  @media (prefers-color-scheme: dark) {
    body:not(.graphiql-light) .winnow-key {${dark}
    }
  }
  .winnow-key input {
    width: 22em; margin-left: 8px; padding: 4px 8px; font: inherit; color: inherit;
    background: var(--field); border: 1px solid var(--line); border-radius: 4px;
    -webkit-text-security: disc;
  }
  .winnow-key input:placeholder-shown { -webkit-text-security: none }
  .winnow-key output[data-state=accepted] { color: var(--good) }
  .winnow-key output[data-state=refused] { color: var(--bad) }
</style>`;
