import { type App, startApp } from './app.ts';
import { type StubProvider, startStubProvider } from './stub-provider.ts';

/** An app whose default model is a scripted provider's, which is closed with it. */
export interface StubApp {
  app: App;
  /** Answers as `stub/base`, and under any other name behind `stub/`. */
  stub: StubProvider;
}

/** `envOf` gives further variables, which override. */
export async function startStubApp(
  envOf: (stub: StubProvider) => Record<string, string> = () => ({}),
): Promise<StubApp> {
  const stub = await startStubProvider();
  const app = await startApp({
    PROVIDERS: JSON.stringify({ stub: { baseURL: stub.url } }),
    DEFAULT_MODEL: 'stub/base',
    ...envOf(stub),
  });
  const stop = () => app.stop().finally(() => stub.close());
  return { app: { ...app, stop }, stub };
}
