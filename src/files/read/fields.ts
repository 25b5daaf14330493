/** Which column or JSON field holds the text of a row, and which its custom id. */

import { quotedName } from '../../core/quoted-name.ts';
import { CustomIds, type IdRule } from './custom-ids.ts';
import { UnreadableFile } from './unreadable.ts';

/** A user's words about an upload. `customIdField` empty: the place in the file serves. */
export interface FieldOptions {
  contentField?: string | undefined;
  customIdField?: string | undefined;
}

export interface ChosenFields {
  /** Null: the row as a whole. */
  contentField: string | null;
  /** Null: the place in the file. */
  customIdField: string | null;
  /** `offered`: the column is merely called id. Whether it has ids, the first rows tell. */
  idRule: Exclude<IdRule, 'watched'> | 'offered';
}

/**
 * Chooses among `names`, of which `textNames` could hold text: what is named, else content, else
 * text, else the only one that is left beside the id; custom_id, else id. The defaults match in any
 * case. Throws UnreadableFile for a name that is none of them.
 */
export function chooseFields(
  names: readonly string[],
  textNames: readonly string[],
  options: FieldOptions,
  idNames: readonly string[] = ['custom_id'],
): ChosenFields {
  const { contentField, customIdField } = options;
  if (contentField !== undefined) requireName(names, contentField, 'contentField');
  if (customIdField) requireName(names, customIdField, 'customIdField');

  const required =
    idNames.map((name) => findName(names, name)).find((name) => name !== null) ?? null;
  const offered = findName(names, 'id');
  const free = (name: string | null) => (name === contentField ? null : name);
  const id =
    customIdField === undefined ? (free(required) ?? free(offered)) : customIdField || null;
  const rest = textNames.filter((name) => name !== id && name !== required && name !== offered);
  const onlyName = names.length === 1 && !customIdField ? names[0] : undefined;
  const content =
    contentField ??
    findName(names, 'content') ??
    findName(names, 'text') ??
    (rest.length === 1 ? rest[0] : onlyName) ??
    null;
  // The one column there is holds the text, whatever it is called.
  const customId = content !== null && content === id && customIdField === undefined ? null : id;
  const isOffered = customIdField === undefined && customId !== null && customId === offered;
  return {
    contentField: content,
    customIdField: customId,
    idRule: isOffered ? 'offered' : 'required',
  };
}

/** A custom id field that every row must have, as in the providers' batch files. */
export function customIdOnly(idRule: 'required' | 'repeatable'): ChosenFields {
  return { contentField: null, customIdField: 'custom_id', idRule };
}

function findName(names: readonly string[], wanted: string): string | null {
  return (
    names.find((name) => name === wanted) ??
    names.find((name) => name.toLowerCase() === wanted) ??
    null
  );
}

function requireName(names: readonly string[], wanted: string, option: string): void {
  if (names.includes(wanted)) return;
  const shown = names.slice(0, 20).map(quotedName);
  throw new UnreadableFile(
    'invalid',
    `${option} must be a column of the file (${shown.join(', ')}${names.length > shown.length ? ', …' : ''}), not ${quotedName(wanted)}`,
  );
}

/** The judge of custom ids; null without their column. `hasIds`: whether first rows have one. */
export function createIds(
  { customIdField, idRule }: ChosenFields,
  { hasIds, maxRows }: { hasIds: () => boolean; maxRows: number },
): CustomIds | null {
  if (customIdField === null) return null;
  const rule = idRule !== 'offered' ? idRule : hasIds() ? 'required' : 'watched';
  return new CustomIds(customIdField, rule, maxRows);
}
