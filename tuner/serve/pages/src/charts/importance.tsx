// How much of the variation of the objective each parameter accounts for.
import type { Importance as ImportanceAnswer } from '../answers.ts';
import { percentText, plural } from '../numbers.ts';
import { Figure } from '../parts/figure.tsx';
import { Empty } from '../parts/notice.tsx';

export function Importance({ importance, metric }: { importance: ImportanceAnswer; metric: string }) {
  const rows = [...importance.parameters].sort((a, b) => b.share - a.share);
  if (rows.length === 0)
    return <Empty title={'How much each parameter matters for ' + metric + ' is not known yet.'}>{importance.reason && <p>{importance.reason}</p>}</Empty>;
  const most = Math.max(...rows.map(({ share }) => share), 0.01);
  return (
    <Figure title={'Importance for ' + metric}
      note={'Share of the variation over ' + plural(importance.trials, 'completed trial') + ' that each parameter accounts for by itself (fANOVA)' +
        (importance.interactions ? '; ' + percentText(importance.interactions) + ' come of several together.' : '.')}
      table={() => ({
        columns: [{ title: 'parameter' }, { title: 'share', isNumber: true }],
        rows: [...rows.map(({ name, share }) => [name, percentText(share)]),
          ...(importance.interactions ? [['several together', percentText(importance.interactions)]] : [])],
      })}>
      <ol class="bars">
        {rows.map(({ name, share }) => (
          <li key={name}>
            <span class="name" title={name}>{name}</span>
            <svg class="share" aria-hidden="true"><rect width={Math.max(0.5, (100 * share) / most) + '%'} height="100%" rx="2" /></svg>
            <span class="number">{percentText(share)}</span>
          </li>
        ))}
      </ol>
    </Figure>
  );
}
