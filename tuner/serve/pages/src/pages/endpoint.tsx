// One endpoint: where it stands, how to call it from a program, and a place to try it.
import { useEffect, useState } from 'preact/hooks';
import { api, post, useAnswer } from '../api.ts';
import type { Endpoint, Model, Overview } from '../answers.ts';
import { agoText, countText, dateText, timeOf, valueText } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Empty, Failed, MissingPage } from '../parts/notice.tsx';
import { quoted } from '../parts/shell.ts';
import { State } from '../parts/state.tsx';
import { Tiles } from '../parts/tiles.tsx';
import { hrefOf } from '../route.ts';
import { Facts } from './model.tsx';
import { ImageSandbox } from './sandbox_image.tsx';
import { PromptSandbox } from './sandbox_prompt.tsx';
import { TextSandbox } from './sandbox_text.tsx';

export type Task = 'images' | 'texts' | 'prompts';

// Where a sandbox sends what is tried.
export interface Target {
  readonly endpoint: string;
  readonly model: string;
  readonly title: string;
}

export function EndpointPage({ name }: { name: string }) {
  const answer = useAnswer<Endpoint>(api('endpoints', name), 'endpoints', 1000);
  const overview = useAnswer<Overview>('/api/overview', 'endpoints', 5000);
  const modelName =
    answer.data?.state?.model ??
    (typeof answer.data?.asked.model === 'string' ? answer.data.asked.model.split('@')[0]! : null);
  const model = useAnswer<Model>(modelName === null ? null : api('models', modelName), null);
  const task = useTask(name, model.data, answer.data?.reachable ?? false);
  const crumbs = (
    <nav class="crumbs" aria-label="Where this is">
      <a href="/endpoints">Endpoints</a>
    </nav>
  );
  const endpoint = answer.data;
  if (endpoint === null)
    return (
      <div class="page">
        {crumbs}
        <MissingPage title={name} failure={answer.failure} />
      </div>
    );
  const state = endpoint.state ?? {};
  const headerFile = (overview.data?.store ?? 'STORE') + '/endpoints/' + name + '/authorization';
  const others = (overview.data?.endpoints ?? []).filter(
    (one) => one.state === 'deployed' || one.console_state === 'deployed',
  );
  const targets: Target[] = [
    { endpoint: name, model: state.model ?? '', title: titleOf(name, state.model, state.version) },
    ...others
      .filter((one) => one.endpoint !== name)
      .map((one) => ({
        endpoint: one.endpoint,
        model: one.model ?? '',
        title: titleOf(one.endpoint, one.model, one.version),
      })),
  ];
  return (
    <div class="page">
      {crumbs}
      <div class="head">
        <div>
          <h1 tabIndex={-1}>{name}</h1>
          <p class="subtitle">
            <State state={endpoint.console_state} />{' '}
            {state.model !== undefined && <a href={hrefOf(['models', state.model])}>{state.model}</a>}{' '}
            {state.version != null && 'version ' + state.version}
            {state.reason && <span class="note"> · {state.reason}</span>}
          </p>
        </div>
      </div>
      {answer.failure !== null && answer.failure.status !== 0 && <Failed failure={answer.failure} />}
      {state.last_error && <p class="notice">{state.last_error}</p>}
      <Tiles
        tiles={[
          {
            title: 'state',
            value: endpoint.console_state,
            note: state.since ? agoText(timeOf(state.since), Date.now()) : '',
          },
          {
            title: 'requests',
            value: state.requests === undefined ? '–' : countText(state.requests),
            note: state.last_request ? 'the last ' + agoText(timeOf(state.last_request), Date.now()) : '',
          },
          { title: 'restarts', value: state.restarts === undefined ? '–' : countText(state.restarts) },
          { title: 'version before', value: state.previous_version ?? '–', note: 'a rollback takes it up again' },
          ...(state.undeploy_at ? [{ title: 'undeploys', value: dateText(timeOf(state.undeploy_at)) }] : []),
        ]}
      />
      <section>
        <h2>Sandbox</h2>
        {endpoint.console_state !== 'deployed' ? (
          <Empty title={'It is ' + endpoint.console_state + '.'}>
            {endpoint.console_state === 'not deployed' && (
              <Command
                text={'tune deploy ' + valueText(endpoint.asked.model ?? state.model ?? name)}
                label="the command that deploys it"
              />
            )}
          </Empty>
        ) : task === 'images' ? (
          <ImageSandbox key={name} targets={targets} />
        ) : task === 'texts' ? (
          <TextSandbox key={name} targets={targets} />
        ) : (
          <PromptSandbox key={name} targets={targets} />
        )}
      </section>
      <section>
        <h2>From a program</h2>
        {state.url && <Command text={curlOf(task, state.url, name, headerFile)} label="a call from the command line" />}
        <Command text={'tune undeploy ' + name} label="the command that takes it down" />
      </section>
      <details>
        <summary>What was asked for, and its state</summary>
        <div class="pair even">
          <div>
            <h3>Asked</h3>
            <Facts value={endpoint.asked} />
          </div>
          <div>
            <h3>State</h3>
            <Facts value={state} />
          </div>
        </div>
      </details>
    </div>
  );
}

function titleOf(
  endpoint: string,
  model: string | null | undefined,
  version: number | string | null | undefined,
): string {
  return endpoint + (model ? ': ' + model + (version ? '@' + version : '') : '');
}

function curlOf(task: Task, url: string, name: string, headerFile: string): string {
  // The token stays in its file, which its owner alone can read.
  const call = 'curl -H ' + quoted('@' + headerFile) + ' ';
  if (task === 'images') return call + '-H "Content-Type: image/jpeg" --data-binary @image.jpg ' + url + '/invocations';
  if (task === 'texts') return call + '-H "Content-Type: text/plain" --data "a text" ' + url + '/invocations';
  return (
    call +
    '-H "Content-Type: application/json" -d ' +
    "'" +
    JSON.stringify({ model: name, messages: [{ role: 'user', content: 'Hello' }] }) +
    "' " +
    url +
    '/v1/chat/completions'
  );
}

function taskIn(text: string): Task | null {
  if (/detection|image/.test(text)) return 'images';
  if (/text/.test(text)) return 'texts';
  return /language/.test(text) ? 'prompts' : null;
}

// What kind of model it is: as it says itself, by the endpoint's name, else as its lineage does.
function useTask(endpoint: string, known: Model | null, isReachable: boolean): Task {
  const [said, setSaid] = useState<Task | null>(null);
  useEffect(() => {
    if (!isReachable) return;
    let hasEnded = false;
    post(
      api('endpoints', endpoint, 'invoke') +
        '?' +
        new URLSearchParams({ path: '/v2/models/' + encodeURIComponent(endpoint) }),
      '',
      'application/json',
    )
      .then((response) => response.json())
      .then((answer: { platform?: unknown }) => {
        if (!hasEnded && typeof answer.platform === 'string') setSaid(taskIn(answer.platform));
      })
      .catch(() => undefined); // its lineage has to do
    return () => {
      hasEnded = true;
    };
  }, [endpoint, isReachable]);
  const trainer = known?.versions[0]?.lineage.trainer as { task?: unknown } | null | undefined;
  return said ?? (typeof trainer?.task === 'string' ? taskIn(trainer.task) : null) ?? 'images';
}
