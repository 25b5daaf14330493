/** Alters good answers by content faults. */
import type { Alter, Altered } from '../wire/equipment.ts';
import { tokenize } from '../wire/tokens.ts';
import type { ContentFault } from './faults.ts';

export function alterBy(fault: ContentFault): Alter {
  return (content, decisions) => {
    const plain: Altered = { content, refusal: null, isFiltered: false, limit: null };
    switch (fault.kind) {
      case 'truncated':
        return { ...plain, limit: Math.max(1, Math.floor(tokenize(content).length / 2)) };
      case 'invalid_json': {
        const cut = content.slice(0, Math.max(1, content.length - 1));
        return { ...plain, content: fault.content ?? cut };
      }
      case 'refusal': {
        const refusal = fault.message ?? "I'm sorry, but I can't help with that.";
        return { ...plain, content: '', refusal };
      }
      case 'content_filter':
        return { ...plain, content: '', isFiltered: true };
      case 'wrong_category': {
        const wrong = fault.value ?? 'not_a_category';
        const chosen = decisions.find(({ value }) => typeof value === 'string');
        const json = JSON.stringify(chosen?.value ?? null);
        if (!chosen || !content.includes(json))
          return { ...plain, content: content.startsWith('{') ? content : wrong };
        return { ...plain, content: content.replace(json, () => JSON.stringify(wrong)) };
      }
      case 'content':
        return { ...plain, content: fault.content };
      default: {
        const never: never = fault;
        throw new TypeError(String(never));
      }
    }
  };
}
