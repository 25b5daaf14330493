/** Probes and figures beside the API, on its port. */
import type { Face } from '../http/face.ts';
import type { OperatorRoute } from './routes.ts';

/** Answers until the process exits. */
export function createOperatorFace(routes: readonly OperatorRoute[]): Face {
  return {
    routes: routes.map(({ path, answer }) => ({
      untilExit: true,
      matches: ({ url }) => url.pathname === path,
      answer: ({ request, response }) => answer(request, response),
    })),
  };
}
