/** The fenced blocks of a document, in order. */
import { readFileSync } from 'node:fs';

export interface Block {
  language: string;
  text: string;
  /** The line of the document that it begins in. */
  line: number;
  /** Why it is not run, as the comment above it says; null where it is. */
  notRun: string | null;
}

export function readBlocks(url: URL): Block[] {
  const blocks: Block[] = [];
  const lines = readFileSync(url, 'utf8').split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const [, language] = /^```(\w+)$/.exec(lines[at] ?? '') ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at);
    const [, notRun = null] =
      /^<!-- not run by the tests: (.+) -->$/.exec(lines[at - 1] ?? '') ?? [];
    blocks.push({ language, notRun, line: at + 1, text: lines.slice(at + 1, end).join('\n') });
    at = end;
  }
  return blocks;
}
