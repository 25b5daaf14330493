/** The models that clients of another vendor's API are shown. */
import { BadUserInput } from '../core/errors.ts';
import type { Providers } from '../model/providers.ts';

export interface ListedModel {
  /** `provider/name` */
  id: string;
  provider: string;
}

/** Those of `Query.service`. */
export async function listModels(providers: Providers): Promise<readonly ListedModel[]> {
  await providers.learn();
  return providers.list();
}

/**
 * A model of the list, or any other of a provider that has more models than it lists. Null for an
 * unknown one.
 */
export async function findModel(providers: Providers, id: string): Promise<ListedModel | null> {
  const listed = (await listModels(providers)).find((model) => model.id === id);
  if (listed) return listed;
  try {
    return { id, provider: providers.resolve(id).provider };
  } catch (error) {
    if (error instanceof BadUserInput) return null;
    throw error;
  }
}
