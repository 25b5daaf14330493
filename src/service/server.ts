/** The HTTP server with its faces, and what answers their requests. */
import { createCallLedger } from '../app/call-ledger.ts';
import { createLiveCalls } from '../app/live-call.ts';
import { createOwnerBudget } from '../app/owner-budget.ts';
import { limitsFor } from '../core/limits.ts';
import type { Presence } from '../db/driver/presence.ts';
import type { RequestLine } from '../db/driver/request-line.ts';
import { takeItems, takingOf } from '../db/takings.ts';
import { createProgress, type Progress } from '../engine/live/progress.ts';
import { createAnthropicFace } from '../faces/anthropic/face.ts';
import { createConsoleFace } from '../faces/console/face.ts';
import { createCursors } from '../faces/graphql/cursors.ts';
import { createGraphQLFace } from '../faces/graphql/face.ts';
import { createRequestRate } from '../faces/http/request-rate.ts';
import { createHttpServer } from '../faces/http/server.ts';
import { createSignedLinks } from '../faces/http/signed-link.ts';
import { createOpenAiFace } from '../faces/openai/face.ts';
import { createOperatorFace } from '../faces/operator/face.ts';
import { createRestFace } from '../faces/rest/face.ts';
import type { Webhooks } from '../webhooks/deliver.ts';
import { checkWebhookTarget, createResolveName } from '../webhooks/dial.ts';
import type { OwnerKeys } from '../webhooks/owner-keys.ts';
import { type Doors, everybody } from './doors.ts';
import { type Ending, shutdownGraceMs } from './ending.ts';
import type { Engine, EngineParts } from './engine.ts';
import type { Operator } from './operator.ts';

interface ServerParts extends EngineParts, Doors {
  presence: Presence;
  /** Signs links to outputs, and seals cursors. */
  linkKey: string;
  engine: Engine;
  operator: Operator;
  webhooks: Webhooks;
  ownerKeys: OwnerKeys;
}

/** Returns where it listens. Throws StartFailure where its port is in the way. */
export async function startServer(parts: ServerParts, ending: Ending): Promise<string> {
  const { config, db, nudges, log, events, presence, line, keyring, linkKey, engine, webhooks } =
    parts;
  const { tracing } = parts;
  const { providers, counter, modelsOf, callsOf } = parts.models;
  const limitsOf = (owner: string) => limitsFor(config.limits, owner);
  const requestRate = createRequestRate({ limitsOf, events });
  const providersOf = (owner: string) => modelsOf(owner).providers;
  const { introspection, publicUrl, defaultModel, budgets: limits } = config;
  const dbOf = (owner: string) => line.of(owner).db;
  const callLedger = createCallLedger({ db, log });
  callLedger.start();
  nudges.subscribeErased(callLedger.rename);
  ending.add(() => callLedger.stop());
  const ownerBudget = createOwnerBudget({ dbOf, providers, limits, presence, log });
  nudges.subscribeErased(ownerBudget.forgetHeld);
  const progress = startProgress(line, parts, ending);
  const timeoutMs = config.modelTimeoutMs;
  const services = {
    line,
    links: createSignedLinks({ key: linkKey }),
    cursors: createCursors(linkKey),
    nudges,
    progress,
    summaries: engine.summaries,
    modelsOf,
    callsOf,
    requestRate,
    limitsOf,
    counter,
    defaultModel,
    get withKeys() {
      return !keyring.isOpen();
    },
    ownProcess: { id: engine.processId, concurrency: config.workerConcurrency },
    callLedger,
    ownerBudget,
    limits,
    retention: config.retention,
    concurrency: config.workerConcurrency,
    liveCalls: createLiveCalls({
      providersOf,
      callLedger,
      ownerBudget,
      takeItem: (owner) =>
        takeItems(dbOf(owner).sql, takingOf(limitsOf(owner), { owner, items: 1 })),
      resolveDefault: () => providers.resolve(defaultModel),
      timeoutMs,
      events,
      propagates: tracing?.propagates ?? false,
    }),
    log,
    events,
    tracing,
    webhooks,
    webhookSecretOf: parts.ownerKeys.secretOf,
    checkWebhook: createWebhookCheck(config.webhookAllowPrivate),
  };
  const server = createHttpServer({
    config,
    keyring,
    requestRate,
    faces: [
      createOperatorFace(parts.operator.routesOf(keyring.isOpen)),
      createConsoleFace({
        withConsole: config.console,
        withGraphiQL: config.graphiql,
        withKeys: () => !keyring.isOpen(),
        publicUrl,
        dataDirectory: config.dataDirectory,
        log,
      }),
      createRestFace({ services, db }),
      createGraphQLFace({ services, keyring, introspection, publicUrl, log }),
      createOpenAiFace(services),
      createAnthropicFace(services, { publicUrl }),
    ],
    log,
    events,
    tracing,
  });
  const url = await server.listen();
  ending.addLast(server.close);
  ending.addHurried(
    () => server.drain(shutdownGraceMs),
    () => server.drain(0),
  );
  return url;
}

function startProgress(line: RequestLine, { nudges, log }: ServerParts, ending: Ending): Progress {
  const dbOf = (owner: string) => line.of(owner).db;
  const progress = createProgress({ db: dbOf(everybody), dbOf, nudges, log });
  progress.start();
  ending.add(async () => progress.stop());
  return progress;
}

/** The fault of a webhook's URL, by its text and addresses; null when it may be called. */
function createWebhookCheck(allowPrivate: boolean): (url: string) => Promise<string | null> {
  const resolveName = createResolveName({ allowPrivate });
  return (url) => checkWebhookTarget(url, { allowPrivate, resolveName });
}
