/** Fields that ask for a batch and come before the file: what is wrong with them can be said before the file is read. */
import { BadUserInput } from '../../core/errors.ts';
import { issuesOf } from '../http/form-words.ts';
import { RouteError } from '../http/route-error.ts';
import type { FormFields } from '../http/upload-form.ts';
import { readSubmission, type UploadSubmit } from './submission-fields.ts';

/**
 * Throws RouteError 400 for what no field behind the file can mend: an operation or a field that is not known, or a value that its field does not
 * take. What is only missing may still come. Without the operation nothing can be said.
 */
export function checkEarlyFields(fields: FormFields, submit: UploadSubmit): void {
  if (!namesOperation(fields)) return;
  try {
    const { operation, options } = readSubmission(fields, submit).submission;
    const params = submit.paramsOf(operation);
    const issues = (
      params ? issuesOf(params, params.safeParse(options).error, options) : []
    ).filter(({ path }) => Object.hasOwn(options, path.split('.', 1)[0] as string));
    if (issues.length > 0) throw new BadUserInput(issues);
  } catch (error) {
    if (!(error instanceof BadUserInput)) throw error;
    throw new RouteError(400, error.code, `The file was not read: ${error.message}`, {
      details: { issues: error.issues },
      cause: error,
    });
  }
}

function namesOperation(fields: FormFields): boolean {
  return (
    fields.has('operation') ||
    (fields.get('options') ?? []).some((text) => {
      try {
        return Object.hasOwn(Object(JSON.parse(text)), 'operation');
      } catch {
        return false; // Said with the other fields.
      }
    })
  );
}
