// The models of the registry.
import { useAnswer } from '../api.ts';
import type { Overview } from '../answers.ts';
import { dateText, timeOf, valueText } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Empty, MissingPage } from '../parts/notice.tsx';
import { hrefOf } from '../route.ts';

export function ModelsPage() {
  const answer = useAnswer<Overview>('/api/overview', 'models', 1000);
  if (answer.data === null) return <div class="page"><MissingPage title="Models" failure={answer.failure} /></div>;
  const { models } = answer.data;
  return (
    <div class="page">
      <h1 tabIndex={-1}>Models</h1>
      {models.length === 0 ? (
        <Empty title="No model has been promoted yet.">
          <p>A study with <code>promote</code> in its spec promotes its best trial when it ends; any other does so by</p>
          <Command text="tune promote STUDY --model NAME" label="the command that promotes" />
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Models">
          <table class="wide">
            <caption class="unseen">Models</caption>
            <thead><tr><th scope="col">model</th><th scope="col">aliases</th><th scope="col" class="number">versions</th><th scope="col">metric</th><th scope="col" class="number">value</th><th scope="col">of</th><th scope="col">created</th></tr></thead>
            <tbody>
              {models.map((model) => (
                <tr key={model.model}>
                  <th scope="row"><a href={hrefOf(['models', model.model])}>{model.model}</a></th>
                  <td>{Object.entries(model.aliases ?? {}).map(([alias, version]) => <span key={alias} class="tag">{alias} → {version}</span>)}</td>
                  <td class="number">{model.versions}</td><td>{model.metric ?? ''}</td><td class="number">{valueText(model.value)}</td>
                  <td>{model.study !== null && model.trial !== null && <a href={hrefOf(['studies', model.study, 'trials', model.trial])}>{model.study}/{model.trial}</a>}</td>
                  <td>{dateText(timeOf(model.created))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
