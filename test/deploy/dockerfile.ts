/** Reads the Dockerfile and .dockerignore. */

/** One instruction, its continued lines joined. */
export interface Instruction {
  name: string;
  rest: string;
}

/** The instructions in order, without comments. */
export function readInstructions(text: string): Instruction[] {
  const joined = text.replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, '');
  return joined.split('\n').flatMap((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return name === undefined || rest === undefined ? [] : [{ name, rest: rest.trim() }];
  });
}

/** Whether a .dockerignore of names, with * for a part of one, leaves a name of the root out. */
export function ignoredBy(text: string): (name: string) => boolean {
  const patterns = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new RegExp(`^${line.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`));
  return (name) => patterns.some((pattern) => pattern.test(name));
}
