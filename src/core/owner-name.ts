/** Allowed names of owners, wherever keys come from. */
const ownerName = /^[A-Za-z0-9_.@-]{1,64}$/;

export function isOwnerName(text: string): boolean {
  return ownerName.test(text);
}

export const ownerNameRule = '1 to 64 letters, digits and _ . @ -';
