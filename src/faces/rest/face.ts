/** Files by plain HTTP as a face of the server: what goes in, what comes out, and whether it lives. */
import type { Caller } from '../../app/caller.ts';
import { operationOf, requestOf } from '../../app/stored-operation.ts';
import type { Database } from '../../db/driver/client.ts';
import type { RequestLine } from '../../db/driver/request-line.ts';
import type { Face } from '../http/face.ts';
import type { SignedLinks } from '../http/signed-link.ts';
import { answerHealth } from './health-route.ts';
import { answerOutput } from './output-route.ts';
import { answerUpload } from './upload-route.ts';
import { createUploadSubmit } from './upload-submit.ts';

export interface RestServices extends Omit<Caller, 'owner' | 'db'> {
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
  /** What the health is asked of, apart from all requests. */
  db: Pick<Database, 'sql'>;
}): Face {
  const { line, links, preparePlan } = services;
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
            requestOf: (batch) => (row) => requestOf(batch, row, preparePlan),
            ownerOf,
            batchId: outputPath.exec(url.pathname)?.[1] ?? '',
            query: url.searchParams,
          }),
      },
      {
        matches: ({ url }) => url.pathname === '/files',
        async answer({ request, response, url, ownerOf }) {
          const owner = ownerOf();
          const access = line.of(owner);
          await answerUpload({
            request,
            response,
            services: access,
            owner,
            query: url.searchParams,
            submit: createUploadSubmit({ ...services, ...access, owner }),
          });
        },
      },
    ],
  };
}
