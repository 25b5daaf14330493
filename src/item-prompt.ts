/**
 * The prompt of one item: made when it is first sent, and anew where an answer is to be repaired.
 */
import { ItemFailure } from './errors.ts';
import type { ChatMessage } from './model/model.ts';
import type { PromptItem } from './operations/operation.ts';
import { createPrompt, type Plan, type Prompt, promptLength } from './plan.ts';

/**
 * Characters. Shorter prompts are kept while an item waits, and take no room: all that a process
 * has under way at once take less than the room.
 */
const shortPrompt = 100_000;

/** State, and so a class: there is one for each of a million items. */
export class ItemPrompt {
  /** Characters of it; null until it is made for the first time. */
  private length: number | null = null;
  /** Characters that it takes of the room for long prompts. */
  private taken = 0;
  private readonly plan: Plan;
  private readonly item: PromptItem;
  private made: Prompt | null = null;
  private repair: Repair | null = null;

  constructor(plan: Plan, item: PromptItem) {
    this.plan = plan;
    this.item = item;
  }

  /**
   * Makes it to be sent now, and takes its room: null where others have all that there is. Whoever
   * got it leaves again when it has been sent.
   */
  enter(): Prompt | ItemFailure | null {
    // Known of one that has been made before.
    if (!this.takeRoom()) return null;
    const prompt = this.make();
    if (this.takeRoom()) return prompt;
    this.leave();
    return null;
  }

  private takeRoom(): boolean {
    const { length } = this;
    if (this.taken > 0 || length === null || length <= shortPrompt) return true;
    if (!this.plan.room.take(length)) return false;
    this.taken = length;
    return true;
  }

  /** A long prompt is made again when it is sent again: what waits holds none. */
  leave(): void {
    if (this.length === null || this.length <= shortPrompt) return;
    this.made = null;
    this.plan.room.giveBack(this.taken);
    this.taken = 0;
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
