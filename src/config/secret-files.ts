/** Variables with secrets may be given as files, as Docker and Kubernetes mount them. */
import { readFileSync, statSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/** A secret is short: a larger file is another one. */
const maxBytes = 1_048_576;

/** The name of the variable that holds the path of a file with the value of another one. */
export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

/**
 * The environment with the contents of the files of `names`, and a sentence for each that is wrong.
 * Line breaks at the end of a file are none of its value.
 */
export function readSecretFiles(
  env: Environment,
  names: readonly string[],
): { env: Environment; problems: string[] } {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  for (const name of names) {
    const variable = fileVariable(name);
    const path = env[variable];
    if (!path) continue;
    if (env[name]) {
      problems.push(`${variable} must not be set beside ${name}: they say the same`);
      continue;
    }
    const { value, problem } = readSecret(path);
    if (problem === null) values[name] = value;
    else problems.push(`${variable} must be the path of a file ${problem}`);
  }
  return { env: { ...env, ...values }, problems };
}

function readSecret(path: string): { value: string; problem: string | null } {
  try {
    const { size } = statSync(path);
    if (size > maxBytes) return { value: '', problem: `of at most ${maxBytes} bytes` };
    const value = readFileSync(path, 'utf8').replace(/[\r\n]+$/, '');
    return { value, problem: value === '' ? 'that is not empty' : null };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { value: '', problem: `that can be read (${code})` };
  }
}
