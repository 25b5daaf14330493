/**
 * The prompt of one item: made when it is first sent, and anew where an answer is to be repaired.
 */
import { ItemFailure } from './errors.ts';
import type { ChatMessage } from './model/model.ts';
import type { PromptItem } from './operations/operation.ts';
import { createPrompt, type Plan, type Prompt, promptLength } from './plan.ts';

/** Longer prompts are not kept while an item waits. */
const keptPrompt = 100_000;

/** State, and so a class: there is one for each of a million items. */
export class ItemPrompt {
  /** Characters of it; null until it is made for the first time. */
  length: number | null = null;
  private readonly plan: Plan;
  private readonly item: PromptItem;
  private made: Prompt | null = null;
  private repair: Repair | null = null;

  constructor(plan: Plan, item: PromptItem) {
    this.plan = plan;
    this.item = item;
  }

  /** Why the item cannot be sent where there is none: a template may lack a field. */
  make(): Prompt | ItemFailure {
    try {
      if (!this.made) {
        const first = createPrompt(this.plan.operation, this.item);
        // Always the first prompt plus the last bad answer: it does not grow with every repair.
        this.made = this.repair ? withRepair(first, this.repair) : first;
        this.length = promptLength(this.made);
      }
      return this.made;
    } catch (error) {
      if (error instanceof ItemFailure) return error;
      throw error;
    }
  }

  /** From now on it asks for a better answer than this one. */
  askToRepair(repair: Repair): void {
    this.repair = repair;
    this.made = null;
  }

  /** A long prompt is made again when it is sent again: what waits holds none. */
  forgetLong(): void {
    if ((this.length ?? 0) > keptPrompt) this.made = null;
  }
}

/** The last answer that was not valid, and why. */
export interface Repair {
  answer: string;
  problem: string;
}

/** The prompt with a bad answer and what is wrong with it. */
function withRepair(prompt: Prompt, { answer, problem }: Repair): Prompt {
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
