import { readFileSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Words of files that start whole programs, which they wait for longest. */
const startsPrograms =
  /\b(startProgram|startProcess|startEmbeddedPostgres|embedded-process|spawn|execFile)\b/;

/**
 * The order of the files where no earlier run has told how long each takes: those that start
 * programs come first, so that none of them is what everybody waits for in the end.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = (file: TestSpecification) =>
      startsPrograms.test(readFileSync(file.moduleId, 'utf8'));
    const long = new Set(sorted.filter(isLong));
    return [...long, ...sorted.filter((file) => !long.has(file))];
  }
}
