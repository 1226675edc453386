// A model: its versions, which aliases point where, where a version comes from, what the gate said, and the log of promotions.
import { useState } from 'preact/hooks';
import { api, postJson, useAnswer } from '../api.ts';
import type { Model, ModelVersion } from '../answers.ts';
import { bytesText, dateText, plural, timeOf, valueText } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Grid } from '../parts/grid.tsx';
import { Empty, Failed, MissingPage } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { hrefOf } from '../route.ts';

interface Asked {
  version: number;
  alias: string;
  isRollback: boolean;
}

export function ModelPage({ name }: { name: string }) {
  const answer = useAnswer<Model>(api('models', name), 'models', 1000);
  const [asked, ask] = useState<Asked | null>(null);
  const crumbs = (
    <nav class="crumbs" aria-label="Where this is">
      <a href="/models">Models</a>
    </nav>
  );
  const model = answer.data;
  if (model === null)
    return (
      <div class="page">
        {crumbs}
        <MissingPage title={name} failure={answer.failure} />
      </div>
    );
  const aliases: Record<string, number> = {
    ...(model.current !== null ? { current: model.current } : {}),
    ...model.aliases,
  };
  const versions = [...model.versions].sort((a, b) => b.version - a.version);
  const hasApproval = versions.some(({ approval }) => approval !== undefined);
  return (
    <div class="page">
      {crumbs}
      <h1 tabIndex={-1}>{name}</h1>
      <p class="subtitle">
        {plural(versions.length, 'version')}{' '}
        {Object.entries(aliases).map(([alias, version]) => (
          <span key={alias} class="tag">
            {alias} → version {version}
          </span>
        ))}
        {(model.endpoints ?? []).map((endpoint) => (
          <>
            {' '}
            · served by{' '}
            <a key={endpoint} href={hrefOf(['endpoints', endpoint])}>
              {endpoint}
            </a>
          </>
        ))}
      </p>
      {answer.failure !== null && answer.failure.status !== 0 && <Failed failure={answer.failure} />}
      {versions.length === 0 ? (
        <Empty title="It has no versions." />
      ) : (
        <section>
          <h2>Versions</h2>
          <div class="scroll" tabIndex={0} role="region" aria-label="Versions">
            <table class="wide">
              <caption class="unseen">Versions</caption>
              <thead>
                <tr>
                  <th scope="col" class="number">
                    version
                  </th>
                  <th scope="col">aliases</th>
                  {hasApproval && <th scope="col">approval</th>}
                  <th scope="col">metric</th>
                  <th scope="col" class="number">
                    value
                  </th>
                  <th scope="col">trial</th>
                  <th scope="col" class="number">
                    size
                  </th>
                  <th scope="col">created</th>
                  <th scope="col">
                    <span class="unseen">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {versions.map((version) => {
                  const own = Object.entries(aliases)
                    .filter(([, at]) => at === version.version)
                    .map(([alias]) => alias);
                  return (
                    <tr key={version.version} class={own.length > 0 ? 'best' : ''}>
                      <th scope="row" class="number">
                        {version.version}
                      </th>
                      <td>
                        {own.map((alias) => (
                          <span key={alias} class="tag">
                            {alias}
                          </span>
                        ))}
                      </td>
                      {hasApproval && (
                        <td>
                          <State state={version.approval ?? ''} />
                        </td>
                      )}
                      <td>{version.metric ?? ''}</td>
                      <td class="number">{valueText(version.value)}</td>
                      <td>
                        {version.study !== null && version.trial !== null ? (
                          <a href={hrefOf(['studies', version.study, 'trials', version.trial])}>
                            {version.study}/{version.trial}
                          </a>
                        ) : (
                          'imported'
                        )}
                      </td>
                      <td class="number">{bytesText(version.files.reduce((sum, { bytes }) => sum + bytes, 0))}</td>
                      <td class="nowrap">{dateText(timeOf(version.created))}</td>
                      <td class="number">
                        <button
                          type="button"
                          onClick={() =>
                            ask({
                              version: version.version,
                              alias: aliasToMove(aliases, version.version),
                              isRollback: version.version < (aliases[aliasToMove(aliases, version.version)] ?? 0),
                            })
                          }
                        >
                          Promote…
                        </button>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {versions.map((version) => (
        <Lineage key={version.version} model={name} version={version} isOpen={version === versions[0]} />
      ))}
      <section>
        <h2>Promotions</h2>
        {model.promotions.length === 0 ? (
          <Empty title="Nothing has been promoted yet." />
        ) : (
          <Grid
            caption="Log of promotions"
            isHidden
            data={{
              columns: [
                { title: 'time' },
                { title: 'alias' },
                { title: 'from', isNumber: true },
                { title: 'to', isNumber: true },
                { title: 'outcome' },
                { title: 'by' },
                { title: 'reason', isLong: true },
                { title: 'evidence', isLong: true },
              ],
              rows: [...model.promotions]
                .reverse()
                .map(({ time, alias, from, to, outcome, who, reason, evidence }) => [
                  dateText(timeOf(time)),
                  alias ?? 'current',
                  from ?? '–',
                  to ?? '–',
                  <State state={outcome ?? 'moved'} />,
                  who ?? '',
                  reason,
                  evidence && Object.keys(evidence as object).length > 0 ? <Facts value={evidence} /> : '',
                ]),
            }}
          />
        )}
      </section>
      {(model.remarks ?? []).length > 0 && (
        <section>
          <h2>What was said of its versions</h2>
          <Grid
            caption="Remarks"
            isHidden
            data={{
              columns: [
                { title: 'time' },
                { title: 'version', isNumber: true },
                { title: 'what' },
                { title: 'by' },
                { title: 'text', isLong: true },
              ],
              rows: [...model.remarks!]
                .reverse()
                .map(({ time, version, kind, who, text }) => [
                  dateText(timeOf(time)),
                  version,
                  <State state={kind} />,
                  who,
                  text,
                ]),
            }}
          />
        </section>
      )}
      {asked !== null && <PromoteDialog model={name} aliases={aliases} asked={asked} onClose={() => ask(null)} />}
    </div>
  );
}

// What a version is promoted to first: the alias that another version has.
function aliasToMove(aliases: Readonly<Record<string, number>>, version: number): string {
  for (const alias of ['production', 'champion', ...Object.keys(aliases)])
    if (alias in aliases && aliases[alias] !== version) return alias;
  return 'production';
}

function PromoteDialog({
  model,
  aliases,
  asked,
  onClose,
}: {
  model: string;
  aliases: Readonly<Record<string, number>>;
  asked: Asked;
  onClose: () => void;
}) {
  const [alias, setAlias] = useState(asked.alias);
  const expected = aliases[alias] ?? null;
  const action = async () => {
    const done = await postJson<{ done?: string }>(api('models', model, 'aliases'), {
      alias,
      version: asked.version,
      expected,
    });
    return done.done ?? alias + ' of ' + model + ' is version ' + asked.version + ' now.';
  };
  const verb = expected !== null && asked.version < expected ? 'Roll back' : 'Promote';
  return (
    <Dialog
      title={verb + ' ' + model + ' to version ' + asked.version + '?'}
      confirm={verb}
      onClose={onClose}
      action={action}
    >
      <label class="stack">
        alias
        <input
          type="text"
          list="aliases"
          value={alias}
          onInput={(event) => setAlias(event.currentTarget.value.trim())}
          required
          pattern="[a-z][a-z0-9\-]*"
        />
      </label>
      <datalist id="aliases">
        {[...new Set(['production', 'champion', ...Object.keys(aliases)])].map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <p>
        {expected === null
          ? 'No version has this alias yet.'
          : 'It is version ' +
            expected +
            ' now. Endpoints that follow it load the new version beside the old one and switch.'}
      </p>
      <Command
        text={
          'tune models promote ' +
          model +
          '@' +
          asked.version +
          ' --to ' +
          alias +
          ' --expected ' +
          (expected ?? 'none')
        }
        label="the command that does the same"
      />
    </Dialog>
  );
}

// Where a version comes from, in short.
const kMain = [
  'study',
  'trial',
  'trainer',
  'data_fingerprint',
  'parent_weights',
  'code',
  'parameters',
  'fixed',
  'metrics',
];

function Lineage({ model, version, isOpen }: { model: string; version: ModelVersion; isOpen: boolean }) {
  return (
    <details open={isOpen}>
      <summary>Version {version.version}: where it comes from, and its files</summary>
      <div class="pair even">
        <div>
          <h3>Lineage</h3>
          <Facts
            value={Object.fromEntries(
              kMain.flatMap((name) => (name in version.lineage ? [[name, version.lineage[name]]] : [])),
            )}
          />
          <details>
            <summary>All that was recorded</summary>
            <Facts
              value={Object.fromEntries(Object.entries(version.lineage).filter(([name]) => !kMain.includes(name)))}
            />
          </details>
          {version.approval === 'pending' && (
            <Command
              text={'tune models approve ' + model + '@' + version.version}
              label="the command that approves it"
            />
          )}
        </div>
        <Grid
          caption="Files"
          data={{
            columns: [{ title: 'file' }, { title: 'size', isNumber: true }, { title: 'SHA-256', isLong: true }],
            rows: version.files.map(({ path, bytes, sha256 }) => [
              path,
              bytesText(bytes),
              <code title={sha256}>{sha256.slice(0, 16)}…</code>,
            ]),
          }}
        />
      </div>
    </details>
  );
}

// Whatever was recorded, as names and values; what lies within something else has its name before its own: "run.machine.cores".
export function Facts({ value }: { value: unknown }) {
  return (
    <dl class="facts">
      {factsOf('', value).map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(name: string, value: unknown): [string, string][] {
  if (value === null || value === undefined || value === '') return [];
  if (typeof value !== 'object') return [[name, valueText(value)]];
  if (Array.isArray(value) && value.every((one) => one === null || typeof one !== 'object'))
    return value.length === 0 ? [] : [[name, value.map(valueText).join(', ')]];
  return Object.entries(value).flatMap(([part, one]) =>
    factsOf((name === '' ? '' : name + '.') + (Array.isArray(value) ? String(Number(part) + 1) : part), one),
  );
}
