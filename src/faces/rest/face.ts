/** Files by plain HTTP as a face of the server: uploads, outputs, and the health check. */
import type { Caller, ModelsOfOwner } from '../../app/caller.ts';
import { fileSource } from '../../app/source.ts';
import { bodyFor, operationOf } from '../../app/stored-operation.ts';
import { submitChecked } from '../../app/submit.ts';
import type { Database } from '../../db/driver/client.ts';
import type { RequestLine } from '../../db/driver/request-line.ts';
import { deleteFile } from '../../db/files.ts';
import type { Face } from '../http/face.ts';
import type { SignedLinks } from '../http/signed-link.ts';
import type { UploadSubmission } from './batch-fields.ts';
import { answerHealth } from './health-route.ts';
import { answerOutput } from './output-route.ts';
import { answerUpload } from './upload-route.ts';

export interface RestServices
  extends Omit<Caller, 'owner' | 'db' | 'asking' | keyof ModelsOfOwner> {
  modelsOf(owner: string): ModelsOfOwner;
  /** The database, an owner at a time. */
  line: RequestLine;
  links: SignedLinks;
}

const outputPath = /^\/batches\/([^/]+)\/output$/;

export function createRestFace({
  services,
  db,
}: {
  services: RestServices;
  /** The database that the health is asked of, apart from all requests. */
  db: Pick<Database, 'sql'>;
}): Face {
  const { line, links, modelsOf } = services;
  return {
    routes: [
      {
        matches: ({ url }) => url.pathname === '/health',
        answer: ({ request, response }) => answerHealth(request, response, db),
      },
      {
        matches: ({ url }) => outputPath.test(url.pathname),
        answer: ({ request, response, url, ownerOf }) =>
          answerOutput({
            request,
            response,
            accessOf: (owner) => line.of(owner),
            links,
            operationOf,
            bodyFor: (batch) => (row) => bodyFor(batch, row, modelsOf(batch.owner).preparePlan),
            ownerOf,
            batchId: outputPath.exec(url.pathname)?.[1] ?? '',
            query: url.searchParams,
          }),
      },
      {
        matches: ({ url }) => url.pathname === '/files',
        async answer({ request, response, url, asking, ownerOf }) {
          const owner = await ownerOf();
          const access = line.of(owner);
          await answerUpload({
            request,
            response,
            services: {
              ...access,
              events: services.events,
              limitsOf: services.limitsOf,
              discard: async (fileId) => {
                await deleteFile(access.db.sql, owner, fileId);
              },
              submit: (fileId, submission) =>
                submitOverFile(
                  { ...services, ...modelsOf(owner), ...access, owner, asking },
                  fileId,
                  submission,
                ),
            },
            owner,
            query: url.searchParams,
          });
        },
      },
    ],
  };
}

async function submitOverFile(
  caller: Caller,
  fileId: string,
  { operation, options, batch }: UploadSubmission,
): Promise<string> {
  return await submitChecked(caller, {
    operation,
    options,
    optionsPath: '',
    source: await fileSource(fileId, caller),
    sourcePath: 'operation',
    fields: batch,
    fieldsPath: '',
  });
}
