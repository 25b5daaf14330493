/** Each provider: whether it answers, what it takes a minute, what is under way. */
import { useState } from 'react';
import { useClient } from 'urql';
import { graphql, type ResultOf } from '../../data/graphql.ts';
import { usePresentQuery } from '../../data/present-query.ts';
import { usePolledQuery } from '../../data/use-polled-query.ts';
import { Button } from '../../parts/button.tsx';
import { Empty, PartError, Skeleton, sentenceOf } from '../../parts/part.tsx';
import { count } from '../../words/numbers.ts';
import { oneLine, visible } from '../../words/text.ts';

const ProviderStates = graphql(`
  query ProviderStates {
    service {
      defaultModel
      models {
        id
        provider
      }
      providers {
        name
        up
        reason
        inFlight
        learned
        requestsPerMinute
        tokensPerMinute
        models {
          model
          up
          reason
          inFlight
          learned
          requestsPerMinute
          tokensPerMinute
        }
      }
    }
  }
`);

const TestCall = graphql(`
  mutation TestCall($model: String!) {
    run(items: [{ content: "Hello" }], options: { model: $model, instructions: "Say hello." }) {
      results {
        index
        error {
          code
          message
        }
      }
    }
  }
`);

type State = ResultOf<typeof ProviderStates>['service']['providers'][number];

export function Providers() {
  const { data, error, again } = usePolledQuery({ query: ProviderStates, variables: {} });
  usePresentQuery(ProviderStates, {});
  return (
    <section className="card" aria-labelledby="providers">
      <h2 id="providers">Providers</h2>
      {error && <PartError what="The list of providers" error={error} again={again} />}
      {!data && !error && <Skeleton lines={3} />}
      {data?.service.providers.length === 0 && <Empty title="No provider is configured" />}
      <ul className="providers">
        {data?.service.providers.map((provider) => (
          <Provider
            key={provider.name}
            provider={provider}
            testModel={modelFor(provider.name, data.service)}
          />
        ))}
      </ul>
    </section>
  );
}

function modelFor(
  provider: string,
  {
    defaultModel,
    models,
  }: Pick<ResultOf<typeof ProviderStates>['service'], 'defaultModel' | 'models'>,
): string | null {
  if (defaultModel.startsWith(`${provider}/`)) return defaultModel;
  return models.find((model) => model.provider === provider)?.id ?? null;
}

function Provider({ provider, testModel }: { provider: State; testModel: string | null }) {
  const { word, look } = wordOf(provider);
  return (
    <li>
      <div className="row wrap">
        <h3>{provider.name}</h3>
        <span className={`state ${look}`}>{word}</span>
        <span className="soft small">{provider.reason && oneLine(provider.reason, 300)}</span>
        <span className="grow" />
        {testModel && <TestButton model={testModel} />}
      </div>
      <Limits state={provider} />
      {provider.models.length > 0 && (
        <ul className="model-states">
          {provider.models.map((model) => (
            <li key={model.model}>
              <b className="mono">{visible(model.model)}</b>{' '}
              {model.reason ? oneLine(model.reason, 300) : model.up ? 'answers' : 'fails'}
              <Limits state={model} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function wordOf({ up, reason }: State): { word: string; look: string } {
  if (up === null) return { word: 'Not called yet', look: 'hold' };
  if (!up) return { word: 'Fails', look: 'bad' };
  return reason === null ? { word: 'Answers', look: 'ok' } : { word: 'Slowed down', look: 'run' };
}

function Limits({
  state,
}: {
  state: Pick<State, 'inFlight' | 'learned' | 'requestsPerMinute' | 'tokensPerMinute'>;
}) {
  const { inFlight, learned, requestsPerMinute, tokensPerMinute } = state;
  const from = learned ? 'learned from answers' : 'configured';
  const known = requestsPerMinute !== null || tokensPerMinute !== null;
  const show = (value: number | null) => (value === null ? 'not known yet' : count(value));
  return (
    <p className="soft small">
      {count(inFlight)} {inFlight === 1 ? 'call' : 'calls'} in flight · requests a minute:{' '}
      {show(requestsPerMinute)} · tokens a minute: {show(tokensPerMinute)}
      {known && ` (${from})`}
    </p>
  );
}

function TestButton({ model }: { model: string }) {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  async function call(): Promise<void> {
    if (busy) return;
    setBusy(true);
    const began = performance.now();
    const { data, error } = await client.mutation(TestCall, { model }).toPromise();
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const failure = data?.run.results[0]?.error;
    setBusy(false);
    if (error) setSaid(sentenceOf(error));
    else
      setSaid(
        failure ? `${failure.code}: ${oneLine(failure.message)}` : `answered in ${seconds} s`,
      );
  }
  return (
    <>
      {said && (
        <span className="small" role="status">
          {said}
        </span>
      )}
      <Button
        small
        changes
        busy={busy}
        aria-label={`Send one test call to ${model}`}
        onClick={() => void call()}
      >
        Send one test call
      </Button>
    </>
  );
}
