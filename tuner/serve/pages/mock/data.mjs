// Studies, models and endpoints that look like real ones, always the same: what the mock server answers with.

// Numbers in [0, 1), always the same for a seed (mulberry32).
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const kHostile = '<img src=x onerror="pwned=1"><script>pwned=1</script>';
const kHour = 3600;
const kEpoch = Date.UTC(2026, 10, 30, 8, 0, 0);
const kGpus = ['GPU-5f3a11c2-0001', 'GPU-77b0e9d4-0002', 'GPU-c9e4a820-0003', 'GPU-e81db3f7-0004'];
const iso = (seconds) => (seconds === null ? null : new Date(kEpoch + 1000 * seconds).toISOString());
const cost = (hours, isPriced = true) => ({
  lease_seconds: hours * kHour,
  device_hours: hours,
  usd: isPriced ? hours * 3.06 : null,
});

const kSpace = [
  { name: 'learning_rate', type: 'float', scale: 'log', min: 1e-5, max: 1e-1, step: null, values: null, when: null },
  {
    name: 'optimizer',
    type: 'categorical',
    scale: 'linear',
    min: null,
    max: null,
    step: null,
    values: ['sgd', 'adam', 'adamw'],
    when: null,
  },
  {
    name: 'momentum',
    type: 'float',
    scale: 'reverse_log',
    min: 0.8,
    max: 0.999,
    step: null,
    values: null,
    when: { optimizer: 'sgd' },
  },
  { name: 'weight_decay', type: 'float', scale: 'log', min: 1e-6, max: 1e-2, step: null, values: null, when: null },
  { name: 'batch_size', type: 'int', scale: 'log', min: 8, max: 64, step: null, values: null, when: null },
  {
    name: 'nesterov',
    type: 'categorical',
    scale: 'linear',
    min: null,
    max: null,
    step: null,
    values: [true, false],
    when: { optimizer: 'sgd' },
  },
];

// A study of `count` trials; the last `running` of them run.
export function makeStudy(
  name,
  { count, running = 0, seed = 1, isHostile = false, second = null, isOver = running === 0, gpus = 4 },
) {
  const draw = random(seed),
    evil = isHostile ? kHostile : '';
  const metric = 'validation:mAP' + evil;
  const space = isHostile ? [...kSpace, { ...kSpace[1], name: 'kind' + evil, values: ['plain', evil] }] : kSpace;
  const trials = [],
    free = Array.from({ length: gpus }, () => 0);
  for (let number = 1; number <= count; ++number) {
    const parameters = {};
    for (const { name: key, type, scale, min, max, values, when } of space) {
      const u = draw();
      if (when && Object.entries(when).some(([other, wanted]) => parameters[other] !== wanted)) continue;
      if (type === 'categorical') parameters[key] = values[Math.floor(u * values.length)];
      else if (scale === 'log') parameters[key] = min * (max / min) ** u;
      else if (scale === 'reverse_log') parameters[key] = 1 - (1 - min) * ((1 - max) / (1 - min)) ** u;
      else parameters[key] = min + u * (max - min);
      if (type === 'int') parameters[key] = Math.round(parameters[key]);
    }
    const isRunning = number > count - running;
    const near = Math.exp(
      -((Math.log10(parameters.learning_rate) + 2.6 - (parameters.optimizer === 'sgd' ? 0.5 : 0)) ** 2) / 1.2,
    );
    const value = Math.max(
      0.01,
      0.18 + 0.55 * near - 0.03 * Math.abs(Math.log10(parameters.weight_decay) + 4) + 0.04 * (draw() - 0.5),
    );
    const fate = draw(),
      gpu = free.indexOf(Math.min(...free));
    let state = isRunning ? 'running' : fate < 0.05 ? 'failed' : fate < 0.35 && value < 0.5 ? 'stopped' : 'completed';
    if (number === 1) state = 'completed';
    const wanted =
      (state === 'completed' ? 900 : state === 'stopped' ? 220 : 60) * (0.7 + 0.6 * draw()) * (count > 1000 ? 0.05 : 1);
    const start = free[gpu] + (draw() < 0.1 ? 90 * draw() : 2),
      end = isRunning ? null : start + wanted;
    free[gpu] = end ?? start + 1e7;
    const isRetried = draw() < 0.06;
    trials.push({
      number,
      state,
      parameters,
      gpu,
      start,
      end,
      isRetried,
      steps: state === 'completed' ? 20 : state === 'stopped' ? 6 : state === 'running' ? 9 : 2,
      value: state === 'completed' || state === 'stopped' ? value * (state === 'stopped' ? 0.7 : 1) : null,
      level: value,
      value2: second && state === 'completed' ? 4 + (30 * draw() * parameters.batch_size) / 64 : null,
      failure: state === 'failed' ? (fate < 0.03 ? 'oom' : 'crash') : '',
      reason:
        state === 'failed'
          ? fate < 0.03
            ? 'oom: exit code 75: out of memory on ' + kGpus[gpu] + evil
            : 'crash: exit code 3: ValueError: bad crop ' + evil
          : state === 'stopped'
            ? 'median: 0.21 at step 6 is below the median 0.34 of 12 trials'
            : state,
      hours: ((end ?? start + 200) - start) / kHour,
    });
  }
  return {
    name,
    trials,
    space,
    metric,
    second,
    seed,
    isOver,
    isHostile,
    evil,
    now: Math.max(1, ...trials.map(({ start, end }) => end ?? start)) + 200,
    gpus,
    held: null,
    limits: { trials: isOver ? count : Math.max(count, 120), parallel: gpus, time: '12h' },
    notices: [],
  };
}

function bestOf({ trials }) {
  let best = null;
  for (const trial of trials)
    if (trial.state === 'completed' && (best === null || trial.value > best.value)) best = trial;
  return best;
}

function countsOf({ trials }) {
  const counts = { queued: 0, running: 0, paused: 0, completed: 0, stopped: 0, failed: 0, deleted: 0 };
  for (const { state } of trials) ++counts[state];
  return counts;
}
const stateOf = (study) => (study.isOver ? 'finished' : 'running');
const hoursOf = ({ trials }) => trials.reduce((sum, { hours }) => sum + hours, 0);

export function studyLine(study) {
  const best = bestOf(study),
    hours = hoursOf(study);
  return {
    study: study.name,
    state: stateOf(study),
    console_state: study.isOver ? 'completed' : 'training',
    standing: study.isOver ? 'finished (trial limit)' : 'running',
    held: study.held,
    metric: study.metric,
    goal: 'maximize',
    second_metric: study.second,
    counts: countsOf(study),
    trials: study.trials.length,
    limit_trials: study.limits.trials,
    best: best && { trial: best.number, value: best.value, values: [best.value] },
    elapsed_seconds: study.now,
    created: iso(0),
    updated: iso(study.now),
    device_hours: hours,
    usd: hours * 3.06,
    comparison: null,
  };
}

export function studyAnswer(study) {
  const best = bestOf(study),
    counts = countsOf(study),
    hours = hoursOf(study),
    running = study.trials.filter(({ state }) => state === 'running');
  const failures = new Map();
  for (const { failure, reason, number } of study.trials)
    if (failure) failures.set(reason, [...(failures.get(reason) ?? []), number]);
  return {
    schema: 1,
    study: study.name,
    state: stateOf(study),
    console_state: study.isOver ? 'completed' : 'training',
    standing: study.held ? 'running, paused by ' + study.held : studyLine(study).standing,
    finish_reason: study.isOver ? 'trial limit' : '',
    held: study.held,
    metric: study.metric,
    goal: 'maximize',
    objectives: [
      { metric: study.metric, goal: 'maximize' },
      ...(study.second ? [{ metric: study.second, goal: 'minimize' }] : []),
    ],
    other_metrics: ['train:loss' + study.evil, 'validation:loss'],
    limits: study.limits,
    elapsed_seconds: study.now,
    created: iso(0),
    updated: iso(study.now),
    counts,
    running: running.map((trial) => ({
      trial: trial.number,
      attempt: 1,
      step: trial.steps,
      value: trial.level * 0.8,
      devices: [kGpus[trial.gpu]],
      seconds: study.now - trial.start,
    })),
    best: best
      ? {
          trial: best.number,
          value: best.value,
          values: [best.value, ...(study.second ? [best.value2] : [])],
          parameters: best.parameters,
        }
      : { trial: null },
    cost: {
      total: cost(hours),
      completed: cost(hours * 0.82),
      stopped: cost(hours * 0.12),
      failed: cost(hours * 0.06),
      paused: cost(0),
      open: cost(0),
      deleted: cost(0),
      retried: cost(hours * 0.03),
      validating: cost(hours * 0.11),
      probing: cost(0.02),
      idle: cost(hours * 0.07),
    },
    seed: 7,
    strategy: 'bayesian',
    stop_rule: 'median',
    reduce: 'best',
    space: study.space,
    fixed: { epochs: 20, note: 'fixed value' + study.evil },
    is_live: !study.isOver,
    comparison: null,
    progress: {
      searched: study.trials.length,
      beyond: 0,
      limit: study.limits.trials,
      remaining_seconds: study.isOver ? null : 5400,
      full_steps: 20,
    },
    rungs: [{ step: 5, reached: counts.completed + counts.stopped, stopped: counts.stopped, paused: 0 }],
    edges: [],
    edge_texts: study.isHostile ? ['learning_rate 0.1 lies at the upper end of its range' + study.evil] : [],
    failures: [...failures].map(([reason, list]) => ({ reason, trials: list })),
    stopped_early: counts.stopped ? { trials: counts.stopped, saved_estimate: cost(hours * 0.4) } : null,
    promoted:
      study.name === 'steel-legacy' && best
        ? [{ model: 'steel-detector', version: 3, trial: best.number, reason: 'best trial', current: true }]
        : [],
    promotion: null,
    warning: '',
    pareto_cost: [],
    machine: {
      host: 'gpu-box',
      cores: 32,
      gpus: kGpus.slice(0, study.gpus).map((uuid) => ({ uuid, name: 'NVIDIA L40S', memory: 48 * 2 ** 30 })),
      driver: '570.86',
    },
    devices: kGpus.slice(0, study.gpus).map((device, k) => ({
      device,
      name: 'NVIDIA L40S' + study.evil,
      running: running.filter(({ gpu }) => gpu === k).map(({ number }) => number),
    })),
    accepts_requests: true,
    why_no_requests: '',
    replicates: [],
    notices: [
      { id: 3, time: iso(100), message: 'limits.trials is 120 now, asked for by ada@gpu-box' + study.evil },
      ...study.notices,
    ],
  };
}

function row(study, trial, best) {
  return {
    trial: trial.number,
    state: trial.state,
    value: trial.value,
    values: trial.value === null ? [] : [trial.value, ...(trial.value2 !== null ? [trial.value2] : [])],
    parameters: trial.parameters,
    metrics: {
      ['train:loss' + study.evil]: trial.value === null ? null : 1.2 - trial.value,
      'validation:loss': trial.value === null ? null : 1.4 - trial.value,
    },
    budget: 1,
    attempts: trial.isRetried ? 2 : 1,
    seconds: trial.end === null ? null : trial.end - trial.start,
    device_hours: trial.hours,
    usd: trial.hours * 3.06,
    created: iso(trial.start - 1),
    started: iso(trial.start),
    ended: iso(trial.end),
    reason: trial.reason,
    failure: trial.failure,
    cut: null,
    replicate_of: null,
    rerun_of: null,
    deleted: false,
    best: trial === best,
    front: null,
  };
}

const kOperators = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '=': (a, b) => String(a) === String(b),
  '!=': (a, b) => String(a) !== String(b),
  '~': (a, b) => String(a).toLowerCase().includes(b.toLowerCase()),
};

export function trialLines(study, query) {
  const field = (trial, name) => {
    switch (name) {
      case 'trial':
        return trial.number;
      case 'state':
      case 'value':
      case 'value2':
      case 'failure':
        return trial[name];
      case 'seconds':
        return trial.end === null ? null : trial.end - trial.start;
      case 'device_hours':
      case 'usd':
        return trial.hours;
      case 'started':
      case 'created':
        return trial.start;
      case 'ended':
        return trial.end;
      case 'attempts':
        return trial.isRetried ? 2 : 1;
      default:
        return trial.parameters[name] ?? null;
    }
  };
  let matching = study.trials;
  for (const part of (query.get('filter') ?? '').split(',').filter(Boolean)) {
    const match = /^(.+?)(<=|>=|!=|<|>|=|~)(.*)$/.exec(part);
    if (
      !match ||
      !(
        match[1] === 'trial' ||
        [
          'state',
          'value',
          'value2',
          'seconds',
          'device_hours',
          'failure',
          'attempts',
          ...study.space.map(({ name }) => name),
        ].includes(match[1])
      )
    )
      return {
        error: 'cannot read the condition “' + part + '”',
        hint: 'NAME OP VALUE, for example learning_rate<1e-3',
      };
    matching = matching.filter((trial) => {
      const value = field(trial, match[1]);
      if (value === null || value === undefined) return match[2] === '!=';
      return kOperators[match[2]](value, typeof value === 'number' ? Number(match[3]) : match[3]);
    });
  }
  const byState = {};
  for (const { state } of matching) byState[state] = (byState[state] ?? 0) + 1;
  const states = (query.get('state') ?? '').split(',').filter(Boolean);
  if (states.length > 0) matching = matching.filter(({ state }) => states.includes(state));
  const sort = query.get('sort') ?? 'trial',
    sign = query.get('descending') === '1' ? -1 : 1;
  const sorted = [...matching].sort((a, b) => {
    const x = field(a, sort),
      y = field(b, sort);
    if (x === null || y === null) return (x === null) - (y === null) || a.number - b.number;
    return sign * (x < y ? -1 : x > y ? 1 : 0) || a.number - b.number;
  });
  const offset = Number(query.get('offset') ?? 0),
    limit = Number(query.get('limit') ?? 50),
    best = bestOf(study);
  return {
    schema: 1,
    study: study.name,
    total: study.trials.length,
    matching: matching.length,
    offset,
    limit,
    by_state: byState,
    columns: [
      { name: 'trial', kind: 'trial' },
      { name: 'value', kind: 'objective', metric: study.metric },
      ...study.space.map(({ name, type }) => ({ name, kind: 'parameter', type, varies: true })),
      { name: 'train:loss' + study.evil, kind: 'metric' },
      { name: 'validation:loss', kind: 'metric' },
    ],
    rows: sorted.slice(offset, offset + limit).map((trial) => row(study, trial, best)),
  };
}

export function pointsAnswer(study, after) {
  const trials = study.trials.filter(({ number }) => number > after),
    best = bestOf(study);
  const six = (value) => (value === null ? null : Number(value.toPrecision(7)));
  return {
    schema: 1,
    study: study.name,
    count: trials.length,
    epoch: iso(0),
    columns: {
      number: trials.map(({ number }) => number),
      state: trials.map(({ state }) => state[0]).join(''),
      value: trials.map(({ value }) => six(value)),
      ...(study.second ? { value2: trials.map(({ value2 }) => six(value2)) } : {}),
      start: trials.map(({ start }) => six(start)),
      end: trials.map(({ end }) => six(end)),
      device_hours: trials.map(({ hours }) => six(hours)),
      replicate_of: {},
    },
    parameters: study.space.map(({ name, type, values }) =>
      type === 'categorical'
        ? {
            name,
            type,
            labels: values,
            values: trials.map(({ parameters }) => (name in parameters ? values.indexOf(parameters[name]) : null)),
          }
        : { name, type, values: trials.map(({ parameters }) => six(parameters[name] ?? null)) },
    ),
    best: best ? [[best.number, best.value]] : [],
  };
}

export function curvesAnswer(study, query) {
  const wanted = query.get('trials') ?? 'best:20',
    metric = query.get('metric') ?? study.metric;
  const numbers = wanted.startsWith('best:')
    ? [
        ...study.trials.filter(({ state }) => state === 'running'),
        ...study.trials
          .filter(({ state }) => state === 'completed')
          .sort((a, b) => b.value - a.value)
          .slice(0, Number(wanted.slice(5))),
      ].map(({ number }) => number)
    : wanted.split(',').map(Number);
  return {
    schema: 1,
    study: study.name,
    metric,
    rungs: [5],
    curves: numbers.flatMap((number) => {
      const trial = study.trials[number - 1];
      if (trial === undefined || trial.state === 'failed') return [];
      const draw = random(number),
        steps = Array.from({ length: trial.steps }, (_, k) => k + 1);
      const isLoss = metric !== study.metric;
      return [
        {
          trial: number,
          points: steps.length,
          thinned: false,
          steps,
          seconds: steps.map((step) => step * 42),
          values: steps.map((step) =>
            isLoss
              ? 0.4 + 1.6 / step + 0.05 * draw()
              : trial.level * (1 - Math.exp(-step / 4)) + 0.015 * (draw() - 0.5),
          ),
        },
      ];
    }),
  };
}

export function importanceAnswer(study) {
  const completed = countsOf(study).completed;
  if (completed < 20)
    return {
      schema: 1,
      study: study.name,
      importance: {
        trials: completed,
        parameters: [],
        reason: 'It needs 20 completed trials; there are ' + completed + '.',
      },
      second_importance: null,
    };
  const shares = [0.52, 0.13, 0.06, 0.11, 0.04, 0.02, 0.01];
  return {
    schema: 1,
    study: study.name,
    importance: {
      trials: completed,
      parameters: study.space.map(({ name }, k) => ({ name, share: shares[k] ?? 0 })),
      interactions: 0.12,
    },
    second_importance: null,
  };
}

export function timelineAnswer(study) {
  const most = 20_000,
    shown = study.trials.slice(-most);
  return {
    schema: 1,
    study: study.name,
    epoch: iso(0),
    now: study.now,
    runs: [[0, study.now]],
    ...(study.trials.length > most ? { left_out: study.trials.length - most } : {}),
    devices: kGpus.slice(0, study.gpus).map((device, k) => {
      const spans = shown
        .filter(({ gpu }) => gpu === k)
        .flatMap((trial) => {
          const end = trial.end ?? study.now,
            state = trial.state,
            span = {
              trial: trial.number,
              attempt: 1,
              begin: trial.start,
              end,
              state,
              is_retry: false,
              stop: state === 'stopped' ? 'rule' : '',
              live: state === 'running',
            };
          if (!trial.isRetried || state === 'running') return [span];
          const cut = trial.start + (end - trial.start) * 0.3;
          return [
            { ...span, end: cut, state: 'failed' },
            { ...span, attempt: 2, begin: cut + 1, is_retry: true },
          ];
        });
      const busy = spans.reduce((sum, { begin, end }) => sum + end - begin, 0);
      return { device, name: 'NVIDIA L40S', busy_seconds: busy, idle_seconds: Math.max(0, study.now - busy), spans };
    }),
  };
}

export function trialAnswer(study, trial) {
  const best = bestOf(study),
    evil = study.evil;
  const attempt = (number, isLast) => ({
    attempt: number,
    state: trial.state === 'running' && isLast ? 'running' : 'exited',
    exit_code: trial.state === 'running' && isLast ? null : trial.state === 'failed' || !isLast ? 3 : 0,
    signal: null,
    stop: trial.state === 'stopped' ? 'rule' : '',
    reason: isLast ? trial.reason : 'node was preempted',
    devices: [kGpus[trial.gpu]],
    threads: 8,
    lease_seconds: (trial.end ?? study.now) - trial.start,
    cpu_seconds: 300,
    max_rss_bytes: 3.1e9,
    peak_device_memory_bytes: 1.9e10,
    failure: trial.failure,
    overrides: {},
    created: iso(trial.start - 1),
    started: iso(trial.start),
    ended: iso(trial.end),
  });
  const ranked = study.trials.filter(({ state }) => state === 'completed').sort((a, b) => b.value - a.value);
  return {
    schema: 1,
    trial: {
      ...row(study, trial, best),
      attempts: trial.isRetried ? [attempt(1, false), attempt(2, true)] : [attempt(1, true)],
      note: '',
      overrides: {},
      deleted: null,
      cost: cost(trial.hours),
      retried_cost: cost(trial.isRetried ? trial.hours * 0.3 : 0),
      study: study.name,
      metric: study.metric,
      fixed: { epochs: 20, note: 'fixed value' + evil },
      rank: trial.state === 'completed' ? ranked.indexOf(trial) + 1 : null,
      events: [
        {
          id: 1,
          time: iso(trial.start - 1),
          kind: 'trial_suggested',
          attempt: 0,
          data: { message: 'bayesian' + evil },
        },
        { id: 2, time: iso(trial.start), kind: 'attempt_started', attempt: 1, data: {} },
        ...(trial.end
          ? [
              {
                id: 3,
                time: iso(trial.end),
                kind: 'trial_finished',
                attempt: 1,
                data: { state: trial.state, message: trial.reason },
              },
            ]
          : []),
      ],
    },
    metrics:
      trial.state === 'failed'
        ? []
        : [study.metric, 'train:loss' + evil, 'validation:loss'].map((name) => ({
            name,
            points: trial.steps,
            last: trial.level,
            min: trial.level * 0.3,
            max: trial.level,
          })),
    explanation: {},
    explanation_text:
      'Suggested by a Gaussian process that knew ' +
      (trial.number - 1) +
      ' results.\n  length scales: learning_rate 0.31, batch_size 0.92\n  predicted 0.612 ± 0.04, hoped to be better than the best by 0.013\nNearest earlier trials: ' +
      Math.max(1, trial.number - 3) +
      ', ' +
      Math.max(1, trial.number - 7) +
      '.' +
      evil +
      '\nEnded: ' +
      trial.reason,
    text: '',
    compared_to_best:
      best && best !== trial
        ? Object.keys({ ...trial.parameters, ...best.parameters })
            .filter((name) => trial.parameters[name] !== best.parameters[name])
            .map((name) => ({ name, value: trial.parameters[name] ?? null, best: best.parameters[name] ?? null }))
        : [],
    best_trial: best?.number ?? null,
    command: ['python3', 'train.py'],
    command_text:
      "cd '/data/steel' && python3 train.py " +
      Object.entries(trial.parameters)
        .map(([name, value]) => '--' + name + '=' + value)
        .join(' '),
    environment_note:
      'Its environment also had CUDA_VISIBLE_DEVICES=' + kGpus[trial.gpu] + ' and TUNE_SEED=1804289383.',
    tune_command: 'tune rerun ' + study.name + '/' + trial.number,
    folder: '/data/tune-store/' + study.name + '/trials/' + trial.number,
    artifacts: [
      { attempt: 1, path: 'weights.safetensors', bytes: 94_371_840 },
      { attempt: 1, path: 'labels' + evil + '.json', bytes: 214 },
    ],
    versions: best === trial ? [{ model: 'steel-detector', version: 3, current: true }] : [],
  };
}

export function logText(study, trial) {
  let text = 'loading ' + study.name + study.evil + '\nusing ' + kGpus[trial.gpu] + ', 48.0 GiB\n';
  for (let step = 1; step <= trial.steps; ++step)
    for (let line = 0; line < 12; ++line)
      text +=
        '[epoch ' +
        step +
        '] batch ' +
        line * 40 +
        '/480 loss ' +
        (0.4 + 1.6 / (step + line / 12)).toFixed(6) +
        (line === 11 ? '\nvalidation mAP <score>=(' + (trial.level * (1 - Math.exp(-step / 4))).toFixed(6) + ')' : '') +
        '\n';
  if (trial.state === 'failed')
    text += 'Traceback (most recent call last):\n  File "train.py", line 211, in <module>\n' + trial.reason + '\n';
  return text;
}

export function modelAnswer(name) {
  const version = (number, value) => ({
    version: number,
    created: iso(3600 * number),
    study: 'steel-legacy',
    trial: 7 + number,
    metric: 'validation:mAP',
    goal: 'maximize',
    value,
    approval: number === 1 ? 'rejected' : number === 3 ? 'pending' : 'approved',
    lineage: {
      study: 'steel-legacy',
      trial: 7 + number,
      study_seed: 7,
      parameters: { learning_rate: 0.0031, batch_size: 16, optimizer: 'sgd' },
      trainer: {
        task: name === 'reviews' ? 'text_classification' : name === 'smol' ? 'language_model' : 'detection',
        model: 'ssd300-resnet50',
        recipe: 'latest',
      },
      data_fingerprint: 'sha256:9b1f0c2a77d1',
      parent_weights: { name: 'resnet50', sha256: '11ad3fa6' },
    },
    files: [
      { path: 'labels.json', bytes: 214, sha256: '7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730' },
      { path: 'model.json', bytes: 1840, sha256: 'bf07a7fbb825fc0aae7bf4a1177b2b31fcf8a3feeaf7092761e18c859ee52a9c' },
      {
        path: 'weights.safetensors',
        bytes: 94_371_840,
        sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
      },
    ],
  });
  return {
    schema: 1,
    model: name,
    current: 3,
    versions: [version(3, 0.731), version(2, 0.709), version(1, 0.66)],
    aliases: { current: 3, production: 2 },
    endpoints: [name],
    remarks: [{ version: 2, kind: 'approved', text: 'good on the test plates', who: 'grace@gpu-box', time: iso(7250) }],
    promotions: [
      {
        alias: 'current',
        from: null,
        to: 1,
        reason: 'best trial of steel-legacy',
        evidence: { value: 0.66 },
        time: iso(3600),
        who: 'ada@gpu-box',
      },
      {
        alias: 'current',
        from: 1,
        to: 2,
        reason: 'better than version 1',
        evidence: {
          value: 0.709,
          'test:AP': { bound: 0.65, reached: 0.688, passed: true },
          against_champion: { difference: 0.041, interval: [0.012, 0.07] },
        },
        time: iso(7200),
        who: 'ada@gpu-box',
      },
      {
        alias: 'production',
        from: null,
        to: 2,
        reason: 'release of November',
        evidence: null,
        time: iso(7300),
        who: 'grace@gpu-box',
      },
      {
        alias: 'production',
        from: 2,
        to: 3,
        outcome: 'refused',
        reason: 'the gate: test:AP 0.61 is below 0.65',
        evidence: { 'test:AP': { bound: 0.65, reached: 0.61, passed: false } },
        time: iso(10_700),
        who: 'ada@gpu-box',
      },
      {
        alias: 'current',
        from: 2,
        to: 3,
        reason: 'better than version 2',
        evidence: { value: 0.731 },
        time: iso(10_800),
        who: 'ada@gpu-box',
      },
    ],
  };
}

export const kEndpoints = {
  'steel-detector': {
    state: 'deployed',
    model: 'steel-detector',
    version: '3',
    previous_version: '2',
    platform: 'tune_detection',
  },
  opinions: {
    state: 'deployed',
    model: 'reviews',
    version: '2',
    previous_version: null,
    platform: 'tune_text_classification',
  },
  smol: { state: 'deployed', model: 'smol', version: '4', previous_version: '3', platform: 'tune_language_model' },
  'steel-canary': {
    state: 'deployed',
    model: 'steel-detector',
    version: '2',
    previous_version: null,
    platform: 'tune_detection',
  },
  night: {
    state: 'not deployed',
    model: 'steel-detector',
    version: '1',
    previous_version: null,
    platform: 'tune_detection',
    last_error: 'undeployed by its schedule at 19:00',
  },
};
export function endpointLine(name) {
  const one = kEndpoints[name];
  return {
    endpoint: name,
    state: one.state,
    console_state: one.state,
    model: one.model,
    version: one.version,
    url: one.state === 'deployed' ? 'http://127.0.0.1:8123' : '',
    since: iso(9000),
    last_error: one.last_error ?? '',
  };
}
export function endpointAnswer(name) {
  const one = kEndpoints[name];
  return {
    schema: 1,
    endpoint: name,
    console_state: one.state,
    reachable: one.state === 'deployed',
    asked: {
      model: one.model + '@production',
      addr: '127.0.0.1',
      port: 8123,
      undeploy_after: '8h',
      idle: null,
      adapters: {},
    },
    state: {
      schema: 1,
      state: one.state,
      model: one.model,
      version: one.version,
      previous_version: one.previous_version,
      url: endpointLine(name).url,
      since: iso(9000),
      restarts: 1,
      last_error: one.last_error ?? '',
      requests: 18_204,
      undeploy_at: one.state === 'deployed' ? iso(40_000) : null,
      pid: 4211,
      worker_pid: 4212,
    },
  };
}

export function comparisonAnswer(name) {
  const line = (rowName, score, study) => ({
    name: rowName,
    approach: rowName,
    kind: 'tuned',
    table: 'tuned',
    runs: [{ study, trial: 3, validation: 0.6 }],
    winner: { study, trial: 3 },
    validation_metric: 'validation:mAP',
    selection: score + 0.02,
    cost: cost(10 * score),
    AP: score,
    AP_spread: 0.011,
    parameters: 24_400_000,
    latency_ms: 18.4,
    classes: ['crazing', 'inclusion'].map((one, k) => ({ name: one, objects: 40, AP: score - 0.1 * k })),
    peak_memory_bytes: 2.1e9,
  });
  return {
    schema: 1,
    text: 'row                AP\nours, tuned     0.481\nlegacy, tuned   0.452\n',
    comparison: {
      schema: 1,
      comparison: name,
      rows: [
        line('ours, tuned', 0.481, 'steel-legacy'),
        line('legacy, tuned', 0.452, 'steel-legacy'),
        line('legacy, defaults', 0.401, 'steel-legacy'),
      ],
      answers: [
        {
          question: 'tuned',
          row: 'ours, tuned',
          against: 'legacy, tuned',
          difference: 0.029,
          interval: [0.008, 0.05],
          no_interval: null,
          p: 0.006,
          adjusted_p: 0.012,
          verdict: 'better',
        },
        {
          question: 'defaults',
          row: 'ours, tuned',
          against: 'legacy, defaults',
          difference: 0.08,
          interval: [0.051, 0.109],
          no_interval: null,
          p: 0.0004,
          adjusted_p: 0.001,
          verdict: 'better',
        },
        {
          question: 'effort',
          row: 'legacy, tuned',
          against: 'legacy, defaults',
          difference: 0.051,
          interval: null,
          no_interval: 'too few runs',
          p: null,
          adjusted_p: null,
          verdict: 'not known',
        },
      ],
      studies: [
        {
          study: 'steel-legacy',
          total: cost(3.2),
          completed: cost(2.6),
          stopped: cost(0.4),
          failed: cost(0.2),
          idle: cost(0.3),
        },
      ],
      cost: { total: cost(6.4), idle: cost(0.5) },
      test: { images: 240 },
      warnings: [],
      notes: ['Test images were scored once, after every choice had been made.'],
    },
  };
}
