/** The submit that may come with an upload. */
import { z } from 'zod';
import type { Caller } from '../../app/caller.ts';
import { batchFields } from '../../app/inputs.ts';
import { fileSource } from '../../app/source.ts';
import { submitChecked } from '../../app/submit.ts';
import { BadUserInput } from '../../core/errors.ts';
import { executions } from '../../db/tables.ts';
import { findOperation, operations } from '../../operations/index.ts';
import { issuesOf } from '../http/form-words.ts';
import type { UploadSubmit } from './submission-fields.ts';

const formFields = z.strictObject({
  ...batchFields,
  autoStart: z.boolean().nullish(),
  execution: z.enum(executions).nullish(),
  rescue: z.boolean().nullish(),
});

/** Its fields are checked as GraphQL checks them. */
export function createUploadSubmit(context: Caller): UploadSubmit {
  return {
    operations: operations.map(({ name }) => name),
    paramsOf: (operation) => findOperation(operation)?.params,
    async submit(fileId, { operation, options, batch }) {
      const schema = findOperation(operation)?.params;
      const params = schema?.safeParse(options);
      const given = Object.fromEntries(
        Object.entries(batch).filter(([, value]) => value !== undefined),
      );
      const fields = formFields.safeParse(given);
      if (!schema || !params?.success || !fields.success) {
        throw new BadUserInput([
          ...(schema ? issuesOf(schema, params?.error, options) : []),
          ...issuesOf(formFields, fields.error, given),
        ]);
      }
      return await submitChecked(context, {
        operation,
        options: params.data,
        optionsPath: '',
        source: await fileSource(fileId, context),
        sourcePath: 'operation',
        fields: fields.data,
        fieldsPath: '',
      });
    },
  };
}
