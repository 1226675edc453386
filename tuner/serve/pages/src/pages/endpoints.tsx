// The endpoints of the store: which model answers where.
import { useAnswer } from '../api.ts';
import type { Overview } from '../answers.ts';
import { agoText, dateText, timeOf } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Empty, MissingPage } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { hrefOf } from '../route.ts';

export function EndpointsPage() {
  const answer = useAnswer<Overview>('/api/overview', 'endpoints', 1000);
  if (answer.data === null) return <div class="page"><MissingPage title="Endpoints" failure={answer.failure} /></div>;
  const { endpoints } = answer.data, now = Date.now();
  return (
    <div class="page">
      <h1 tabIndex={-1}>Endpoints</h1>
      {endpoints.length === 0 ? (
        <Empty title="No model is deployed.">
          <p>A promoted model answers behind an address of this machine after</p>
          <Command text="tune deploy MODEL@production --undeploy-after 8h" label="the command that deploys" />
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Endpoints">
          <table class="wide">
            <caption class="unseen">Endpoints</caption>
            <thead><tr><th scope="col">endpoint</th><th scope="col">state</th><th scope="col">model</th><th scope="col" class="number">version</th><th scope="col">address</th><th scope="col">since</th><th scope="col">what it says</th></tr></thead>
            <tbody>
              {endpoints.map((one) => (
                <tr key={one.endpoint}>
                  <th scope="row"><a href={hrefOf(['endpoints', one.endpoint])}>{one.endpoint}</a></th>
                  <td><State state={one.console_state || one.state} /></td>
                  <td>{one.model !== null && <a href={hrefOf(['models', one.model])}>{one.model}</a>}</td><td class="number">{one.version ?? ''}</td>
                  <td>{one.url && <code>{one.url}</code>}</td><td title={dateText(timeOf(one.since))}>{agoText(timeOf(one.since), now)}</td><td><span class="reason">{one.last_error || one.reason || ''}</span></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
