/** A submit whose fields have been checked one by one, whichever road they came: what they must be together, and to whom. */
import { z } from 'zod';
import { type Submission, submitBatch } from '../batches/submit.ts';
import { readFile } from '../db/files.ts';
import { AppError, BadUserInput } from '../errors.ts';
import { namesOf, rowFileOf } from '../files/row.ts';
import type { UploadSubmit } from '../files/submission-fields.ts';
import { isId } from '../ids.ts';
import { findOperation } from '../operations/index.ts';
import type { Context } from './context.ts';
import { batchFields, type CheckedItem } from './inputs.ts';
import { planFor } from './operation.ts';

/** What of the context a submit needs. */
export type Submitter = Pick<Context, 'db' | 'signals' | 'preparePlan' | 'checkWebhook' | 'owner'>;

/** Where the items come from, and items by which a template is checked: themselves, or one that has every column of the file. */
export interface CheckedSource {
  given: Submission['source'];
  sample: readonly CheckedItem[];
}

interface CheckedSubmit {
  operation: string;
  options: Record<string, unknown>;
  /** Where the options stand in the caller's input, for issues. */
  optionsPath: string;
  source: CheckedSource;
  fields: { [Name in keyof typeof batchFields]?: z.output<(typeof batchFields)[Name]> } & {
    autoStart?: boolean | null | undefined;
  };
  /** What stands before a field's name in the caller's input: empty, or ends with a dot. */
  fieldsPath: string;
}

/** Submits, and returns the batch's id. */
export async function submitChecked(
  context: Submitter,
  { operation, options, optionsPath, source, fields, fieldsPath }: CheckedSubmit,
): Promise<string> {
  const plan = planFor(operation, options, source.sample, context, optionsPath);
  const { webhookUrl } = fields;
  const message = typeof webhookUrl === 'string' ? await context.checkWebhook(webhookUrl) : null;
  if (message !== null) throw new BadUserInput([{ path: `${fieldsPath}webhookUrl`, message }]);
  return await submitBatch(context, context.owner, {
    operation,
    options,
    model: plan.model.id,
    source: source.given,
    autoStart: fields.autoStart ?? true,
    name: fields.name ?? null,
    metadata: fields.metadata ?? null,
    idempotencyKey: fields.idempotencyKey ?? null,
    expiresInSeconds: fields.expiresInSeconds ?? null,
    webhookUrl: webhookUrl ?? null,
  });
}

/** An uploaded file as a source. Throws NOT_FOUND. */
export async function fileSource(
  fileId: string,
  { db, owner }: Pick<Submitter, 'db' | 'owner'>,
): Promise<CheckedSource> {
  const file = isId('file', fileId) ? await readFile(db, owner, fileId) : null;
  if (!file) throw new AppError('NOT_FOUND', 'There is no file with this id');
  const { contentField, customIdField } = file;
  const metadata = Object.fromEntries(
    namesOf(rowFileOf(file))
      .filter((name) => name !== contentField && name !== customIdField)
      .map((name) => [name, '']),
  );
  return { given: { fileId }, sample: [{ customId: '0', content: '', metadata }] };
}

const formFields = z.strictObject({ ...batchFields, autoStart: z.boolean().nullish() });

/** The submit that may come with an upload: the form's fields checked as GraphQL checks them. */
export function createUploadSubmit(context: Submitter): UploadSubmit {
  return {
    paramsOf: (operation) => findOperation(operation)?.params,
    async submit(fileId, { operation, options, batch }) {
      const params = findOperation(operation)?.params.safeParse(options);
      const fields = formFields.safeParse(
        Object.fromEntries(Object.entries(batch).filter(([, value]) => value !== undefined)),
      );
      const issues = [...(params?.error?.issues ?? []), ...(fields.error?.issues ?? [])];
      if (!params?.success || !fields.success) {
        throw new BadUserInput(
          issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
        );
      }
      return await submitChecked(context, {
        operation,
        options: params.data,
        optionsPath: 'options',
        source: await fileSource(fileId, context),
        fields: fields.data,
        fieldsPath: '',
      });
    },
  };
}
