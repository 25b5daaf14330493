/** The secrets that sign the webhooks of each owner: one of its own, made of the server's. */
import { ownerSecret, parseWebhookSecret, parseWebhookSecrets } from './sign.ts';

/** The owner of everything on a server without keys. */
const localOwner = 'local';

export interface OwnerKeys {
  /**
   * The keys that sign for an owner: one, or several while the server's secret is replaced. Those
   * of `local` include the server's own, which a server without keys has given out.
   */
  keysOf(owner: string): readonly Buffer[];
  /**
   * The secret that an owner is given, as `whsec_…`: the first, where there are several.
   * `isOpen`: the server has no keys, and one owner.
   */
  secretOf(owner: string, options: { isOpen: boolean }): string;
}

/** `secrets`: `whsec_…`, or several by white space. Throws where one is none. */
export function createOwnerKeys(secrets: string): OwnerKeys {
  const own = parseWebhookSecrets(secrets);
  const [first = ''] = secrets.trim().split(/\s+/);
  const firstKey = parseWebhookSecret(first);
  /** Owners come from keys: there are few. */
  const known = new Map<string, readonly Buffer[]>();
  return {
    keysOf(owner) {
      const kept = known.get(owner);
      if (kept) return kept;
      const derived = own.map((key) => parseWebhookSecret(ownerSecret(key, owner)));
      const keys = owner === localOwner ? [...own, ...derived] : derived;
      known.set(owner, keys);
      return keys;
    },
    secretOf: (owner, { isOpen }) =>
      isOpen && owner === localOwner ? first : ownerSecret(firstKey, owner),
  };
}
