/** The way to the page that is shown: whether it was come back to by the browser's own buttons. */
let returned = false;

addEventListener('popstate', () => {
  returned = true;
});
// The router tells of its own steps by this event.
addEventListener('pushState', () => {
  returned = false;
});

export function wasReturnedTo(): boolean {
  return returned;
}
