/** What the page adds to the looks of GraphiQL. */
export const graphiqlStyle = `<style>
  /* GraphiQL leaves its tabs displaced by an unfinished animation, and hides that until one has the focus: the tab jumps away under the first click. */
  .graphiql-tab { transform: none !important }
  .graphiql-container .graphiql-tabs { gap: 4px }
  .result-window .detected-link { cursor: pointer }
  body.winnow-keys { display: flex; flex-direction: column; height: 100vh; margin: 0 }
  .winnow-keys #root { flex: 1; min-height: 0 }
  .winnow-keys #root .graphiql-container { height: 100% }
  .winnow-key {
    display: flex; align-items: center; gap: 12px; padding: 6px 12px;
    font: 14px system-ui, sans-serif; background: #f3f4f7; color: #3b4b68;
    border-bottom: 1px solid #0002;
  }
  .winnow-key input {
    width: 22em; margin-left: 8px; padding: 4px 8px; font: inherit; color: inherit;
    background: #fff; border: 1px solid #0003; border-radius: 4px;
    -webkit-text-security: disc;
  }
  .winnow-key input:placeholder-shown { -webkit-text-security: none }
  .winnow-key output[data-state=accepted] { color: #1a7f4b }
  .winnow-key output[data-state=refused] { color: #c62a3c }
  .graphiql-dark .winnow-key { background: #1a2030; color: #b7c2d7; border-color: #fff2 }
  .graphiql-dark .winnow-key input { background: #212a3b; border-color: #fff3 }
  .graphiql-dark .winnow-key output[data-state=accepted] { color: #6fd39b }
  .graphiql-dark .winnow-key output[data-state=refused] { color: #ff8793 }
  @media (prefers-color-scheme: dark) {
    body:not(.graphiql-light) .winnow-key { background: #1a2030; color: #b7c2d7; border-color: #fff2 }
    body:not(.graphiql-light) .winnow-key input { background: #212a3b; border-color: #fff3 }
  }
</style>`;
