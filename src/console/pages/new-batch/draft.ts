/** The part of the form of a new batch that a reload keeps. */
import type { SourceFileData } from './data-step.tsx';
import { emptyForm, type Form } from './form.ts';

export interface Draft {
  /** Id of this form alone: the batch that is started twice with the same input is one batch. */
  id: string;
  form: Form;
  /** Fields that were chosen by hand, which the batch that is copied leaves alone. */
  chosen: readonly (keyof Form)[];
  /** The file that the form has taken its name and its preview from. */
  begun: Pick<SourceFileData, 'id' | 'name'> | null;
  /** The batch that the address names to begin with. */
  from: string | null;
  /** The same once it is read, and the form has taken its options. */
  copied: string | null;
}

/** A form that is empty, or begins with the file that the address names. */
export function beginDraft(address: URLSearchParams, categories = ''): Draft {
  const file = address.get('file');
  const source = file ? ({ kind: 'file', fileId: file } as const) : emptyForm.source;
  return {
    id: randomHex(),
    form: { ...emptyForm, source, categories },
    chosen: file ? ['source'] : [],
    begun: null,
    from: address.get('from'),
    copied: null,
  };
}

/** True where the address asks for this form, and not for another file or another batch. */
export function isAskedFor(draft: Draft, address: URLSearchParams): boolean {
  const { source } = draft.form;
  const own = source.kind === 'file' ? source.fileId : null;
  const [file, from] = [address.get('file'), address.get('from')];
  return (file === null || file === own) && (from === null || from === draft.from);
}

export function isEmpty(form: Form): boolean {
  return Object.entries(emptyForm).every(([name, value]) => form[name as keyof Form] === value);
}

/** The same for the same input of the same form, and also after a reload. */
export function idempotencyKeyOf(draft: string, input: object): string {
  return `console-${draft}-${hashOf(JSON.stringify(input))}`;
}

/** 53 bits, by cyrb53: a page without TLS has no hash of the browser's own. */
function hashOf(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2_654_435_761);
    b = Math.imul(b ^ code, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return (4_294_967_296 * (2_097_151 & b) + (a >>> 0)).toString(16);
}

/** Not by randomUUID, which a page without TLS does not have. */
function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
