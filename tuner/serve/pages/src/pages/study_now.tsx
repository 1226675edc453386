// What runs at this moment, by device; and what has failed, the same failures together.
import type { Study } from '../answers.ts';
import { countText, plural, secondsText, valueText } from '../numbers.ts';
import { deviceName } from '../parts/device.ts';
import { hrefOf } from '../route.ts';

const kMostDevices = 16, kListed = 12;

export function StudyNow({ study }: { study: Study }) {
  const { devices, running, failures } = study;
  const runningOn = new Map(running.map((one) => [one.trial, one]));
  const isBusy = running.length > 0;
  return (
    <>
      {(isBusy || study.is_live) && (
        <section>
          <h2>Running now</h2>
          {devices.length === 0 && running.length === 0 ? <p class="note">Nothing runs at this moment.</p> : (
            <ul class="devices">
              {devices.slice(0, kMostDevices).map((device) => (
                <li key={device.device} class={device.running.length > 0 ? 'device busy' : 'device'}>
                  <span class="name" title={device.device}>{deviceName(devices, device)}</span>
                  {device.running.length === 0 ? <span class="note">idle</span> : device.running.map((trial) => {
                    const now = runningOn.get(trial);
                    return (
                      <span key={trial} class="now">
                        <a href={hrefOf(['studies', study.study, 'trials', trial])}>Trial {trial}</a>
                        {now !== undefined && (
                          <span class="note">
                            {now.attempt > 1 && 'attempt ' + now.attempt + ', '}{secondsText(now.seconds)}{now.step !== null && ', step ' + countText(now.step)}
                            {now.value !== null && ', ' + study.metric + ' ' + valueText(now.value)}
                          </span>
                        )}
                      </span>
                    );
                  })}
                </li>
              ))}
            </ul>
          )}
          {devices.length > kMostDevices && <p class="note">{plural(devices.length - kMostDevices, 'more device')}.</p>}
        </section>
      )}
      {failures.length > 0 && (
        <details class="failures">
          <summary>{plural(failures.reduce((sum, { trials }) => sum + trials.length, 0), 'failed trial')}{failures.length > 1 ? ', in ' + plural(failures.length, 'way') : ''}</summary>
          <ul>
            {failures.map(({ reason, trials }) => (
              <li key={reason}>
                <span class="reason">{reason}</span>{' '}
                <span class="note">{plural(trials.length, 'trial')}: {trials.slice(0, kListed).map((trial, i) => <>{i > 0 && ', '}<a key={trial} href={hrefOf(['studies', study.study, 'trials', trial])}>{trial}</a></>)}{trials.length > kListed && ', …'}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
