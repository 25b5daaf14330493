/** The prompt of one item: the first one, or one that asks for a better answer. */
import { ItemFailure } from '../../core/errors.ts';
import type { ChatMessage } from '../../model/request.ts';
import type { PromptItem } from '../../operations/operation.ts';
import { type ItemPrompt, type Plan, promptOf } from './plan.ts';

/**
 * The prompt of an item, which asks for a better answer where one is to be repaired. A failure
 * where the item cannot be sent: a template may lack a field.
 */
export function makePrompt(
  plan: Plan,
  item: PromptItem,
  repair: Repair | null,
): ItemPrompt | ItemFailure {
  try {
    const first = promptOf(plan.operation, item);
    // Always the first prompt plus the last bad answer: it does not grow with every repair.
    return repair ? withRepair(first, repair) : first;
  } catch (error) {
    if (error instanceof ItemFailure) return error;
    throw error;
  }
}

/** The last answer that was not valid, and why. */
export interface Repair {
  answer: string;
  problem: string;
}

/** The prompt with a bad answer and what is wrong with it. */
function withRepair(prompt: ItemPrompt, { answer, problem }: Repair): ItemPrompt {
  const turns: ChatMessage[] = [
    // An answer may be tool calls alone, and Anthropic refuses a message without content.
    ...(answer === '' ? [] : [{ role: 'assistant' as const, content: answer }]),
    {
      role: 'user',
      content: `That answer is not valid: ${problem.replace(/\.$/, '')}. Answer again, complete and in the required form, with nothing else.`,
    },
  ];
  if (!('body' in prompt)) return { ...prompt, messages: [...prompt.messages, ...turns] };
  const { messages } = prompt.body;
  return {
    ...prompt,
    body: { ...prompt.body, messages: [...(Array.isArray(messages) ? messages : []), ...turns] },
  };
}
