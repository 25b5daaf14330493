/** The members of a JSON file that is one object: which holds the rows, and what to say of it. */
import { quotedName } from '../../core/quoted-name.ts';
import { UnreadableFile } from './unreadable.ts';

/** The kind of a member: an array by its first element, or something else. */
export type MemberKind =
  | 'objects'
  | 'strings'
  | 'arrays'
  | 'scalars'
  | 'empty'
  | 'object'
  | 'other';

/** By the first byte of a value, and the next that is not white space. */
export function kindOf(first: number | undefined, second: number | undefined): MemberKind {
  if (first === 0x7b) return 'object';
  if (first !== 0x5b) return 'other';
  switch (second) {
    case 0x7b:
      return 'objects';
    case 0x22:
      return 'strings';
    case 0x5b:
      return 'arrays';
    case 0x5d:
      return 'empty';
    default:
      return 'scalars';
  }
}

/** Names that are kept to be shown. */
const maxKept = 20;
const pandas = 'if pandas wrote it, write it with orient="records"';
const oneRow = 'format=JSONL reads an object alone as one row';

export class JsonMembers {
  private readonly asked: string | null;
  private taken: { name: string; kind: MemberKind } | null = null;
  private readonly names: string[] = [];
  private count = 0;
  private readonly counts: Partial<Record<MemberKind, number>> = {};
  /** An array beside the rows that is not empty. */
  private otherArray: string | null = null;
  private empty: string | null = null;

  /** `asked`: the member that is to hold the rows. */
  constructor(asked: string | null) {
    this.asked = asked;
  }

  /**
   * Takes note of the next member, and answers what to do with it. Throws UnreadableFile once it is
   * plain that the file cannot be read.
   */
  add(name: string, kind: MemberKind): 'rows' | 'skip' {
    this.count += 1;
    if (this.names.length < maxKept) this.names.push(name);
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    if (this.asked !== null) return name === this.asked ? this.take(name, kind) : 'skip';
    if (kind === 'empty') this.empty ??= name;
    if (kind === 'object' || kind === 'other' || kind === 'empty') return 'skip';
    const isRows = kind === 'objects' || kind === 'strings';
    if (isRows && this.taken === null) {
      // Beside a list of texts another array is the next column, or the table itself.
      if (kind === 'strings' && this.otherArray !== null) throw several(this.otherArray, name);
      return this.take(name, kind);
    }
    if (this.taken && (isRows || this.taken.kind === 'strings')) {
      throw several(this.taken.name, name);
    }
    this.otherArray ??= name;
    return 'skip';
  }

  private take(name: string, kind: MemberKind): 'rows' {
    if (kind === 'object' || kind === 'other') {
      throw refused(`rowsField names ${quotedName(name)}, which is not an array`);
    }
    if (this.taken) throw refused(`The JSON object has ${quotedName(name)} twice`);
    this.taken = { name, kind };
    return 'rows';
  }

  /** The note on a file that was read to its end. Throws UnreadableFile where it had no rows. */
  finish(columns: readonly string[]): string | null {
    const { taken } = this;
    if (taken === null) throw this.none();
    if (this.asked !== null) return null;
    if (taken.name === 'messages' && columns.includes('role')) {
      throw refused(
        `The JSON file is one chat request, whose messages are no rows; put it into an array, or say format=JSONL`,
      );
    }
    const others = this.names.filter((name) => name !== taken.name);
    const leftOut = others.length > 0 ? `, and ${this.shown(others)} beside it was left out` : '';
    return `The rows are those in ${quotedName(taken.name)}, the only array of objects or strings in the JSON object${leftOut}; rowsField= names another member`;
  }

  private none(): UnreadableFile {
    const { asked, count, counts, names, empty } = this;
    if (asked !== null) {
      return refused(
        `rowsField must be a member of the JSON object (${this.shown(names)}), not ${quotedName(asked)}`,
      );
    }
    if (counts.arrays) {
      return refused(
        `The JSON file is one object with arrays of arrays, which are no rows; ${pandas}, and otherwise write an array of objects`,
      );
    }
    if (count > 0 && counts.object === count) {
      return refused(
        `The JSON file is one object of objects, which are no rows; ${pandas}, and otherwise write an array of objects. ${oneRow}`,
      );
    }
    if (empty !== null) return refused(`The JSON file has no rows: ${quotedName(empty)} is empty`);
    return refused(
      `The JSON file is one object, and no member of it is an array of objects or strings${count > 0 ? `; it has ${this.shown(names)}` : ''}. A file of rows is an array; ${oneRow}`,
    );
  }

  private shown(names: readonly string[]): string {
    const more = this.count > this.names.length ? ', …' : '';
    return names.map(quotedName).join(', ') + more;
  }
}

function several(one: string, other: string): UnreadableFile {
  return refused(
    `The JSON file is one object with several arrays, ${quotedName(one)} and ${quotedName(other)}; rowsField= names the one that holds the rows. A table by columns has no rows: ${pandas}`,
  );
}

function refused(message: string): UnreadableFile {
  return new UnreadableFile('invalid', message);
}
