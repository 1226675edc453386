// A server in place of `tune serve`, with invented studies, to work on the pages and to test them: `node mock/server.mjs [PORT]`.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as data from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const kPolicy =
  "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors 'none'";
const kTypes = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};

export async function startMock({ port = 0, assets = join(here, '../../assets'), big = 50_000, isEmpty = false } = {}) {
  const studies = new Map();
  const add = (study) => studies.set(study.name, study);
  if (!isEmpty) {
    add(data.makeStudy('steel-legacy', { count: 64, running: 4, seed: 3 }));
    add(data.makeStudy('big', { count: big, seed: 5 }));
    add(data.makeStudy('two-goals', { count: 60, seed: 8, second: 'latency_ms' }));
    add(data.makeStudy('h' + data.kHostile, { count: 40, running: 1, seed: 11, isHostile: true, gpus: 2 }));
    add(data.makeStudy('just-begun', { count: 0, isOver: false, seed: 2, gpus: 2 }));
  }
  const streams = new Set(),
    requests = [];
  const mock = {
    requests, // of every POST: path and body
    studies,
    isDown: false,
    // Tells every page that trials have changed.
    change(name, trials) {
      const text =
        'id: 1\nevent: change\ndata: ' +
        JSON.stringify({
          schema: 1,
          study: name,
          id: 1,
          trials,
          kinds: ['trial_finished'],
          metrics: true,
          state: 'running',
          overview: true,
        }) +
        '\n\n';
      for (const stream of streams) stream.write(text);
    },
    // A trial that runs completes, and another one begins.
    advance(name) {
      const study = studies.get(name),
        trial = study.trials.find(({ state }) => state === 'running');
      study.now += 30;
      Object.assign(trial, { state: 'completed', end: study.now, value: trial.level, steps: 20, reason: 'completed' });
      study.trials.push({
        ...trial,
        number: study.trials.length + 1,
        state: 'running',
        start: study.now,
        end: null,
        value: null,
        steps: 3,
        reason: 'running',
        parameters: { ...trial.parameters },
      });
      mock.change(name, [trial.number, study.trials.length]);
      return trial.number;
    },
    dropStreams() {
      for (const stream of streams) stream.destroy();
    },
    get streamCount() {
      return streams.size;
    },
    close() {
      for (const stream of streams) stream.destroy();
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };

  function send(response, status, value) {
    const text = JSON.stringify(value);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(text);
  }
  const fail = (response, status, message, hint = '') =>
    send(response, status, { schema: 1, error: { message, hint } });

  async function bodyOf(request) {
    const parts = [];
    for await (const part of request) parts.push(part);
    return Buffer.concat(parts);
  }

  async function answer(request, response) {
    const url = new URL(request.url, 'http://mock'),
      path = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    response.setHeader('Content-Security-Policy', kPolicy);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (mock.isDown) return request.destroy();
    if (request.method === 'POST') return accept(request, response, url, path);
    if (path[0] !== 'api') {
      const name = path[0] === 'assets' && /^[\w.-]+$/.test(path[1] ?? '') ? path[1] : 'index.html';
      try {
        const content = await readFile(join(assets, name));
        return response
          .writeHead(200, {
            'Content-Type': kTypes[name.split('.').pop()],
            'Cache-Control': name === 'index.html' ? 'no-store' : 'max-age=31536000, immutable',
          })
          .end(content);
      } catch {
        return fail(response, 404, 'no such file');
      }
    }
    if (path[1] === 'overview') {
      return send(response, 200, {
        schema: 1,
        version: '0.1.0',
        store: '/data/tune-store',
        as_of: new Date().toISOString(),
        studies: [...studies.values()].map(data.studyLine),
        warnings: [],
        comparisons: isEmpty
          ? []
          : [
              {
                comparison: 'steel-compare',
                created: '2026-11-30T09:00:00.000Z',
                studies: ['steel-legacy'],
                scored: true,
              },
            ],
        models: isEmpty
          ? []
          : ['steel-detector', 'reviews', 'smol'].map((model) => ({
              model,
              versions: 3,
              current: 3,
              aliases: { current: 3, production: 2 },
              metric: 'validation:mAP',
              value: 0.731,
              study: 'steel-legacy',
              trial: 10,
              created: '2026-11-30T11:00:00.000Z',
            })),
        endpoints: isEmpty ? [] : Object.keys(data.kEndpoints).map(data.endpointLine),
      });
    }
    if (path[1] === 'events') {
      const watched = url.searchParams.get('study');
      if (watched !== null && !studies.has(watched))
        return fail(response, 404, 'there is no study ' + watched, '`tune status` lists them');
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.write('retry: 2000\n\n');
      streams.add(response);
      request.on('close', () => streams.delete(response));
      return;
    }
    if (path[1] === 'models')
      return path[2] in { 'steel-detector': 1, reviews: 1, smol: 1 }
        ? send(response, 200, data.modelAnswer(path[2]))
        : fail(response, 404, 'there is no model ' + path[2], '`tune models` lists them');
    if (path[1] === 'endpoints')
      return path[2] in data.kEndpoints
        ? send(response, 200, data.endpointAnswer(path[2]))
        : fail(response, 404, 'there is no endpoint ' + path[2], '`tune endpoints` lists them');
    if (path[1] === 'comparisons') return send(response, 200, data.comparisonAnswer(path[2]));
    const study = path[1] === 'studies' ? studies.get(path[2]) : undefined;
    if (study === undefined) return fail(response, 404, 'there is no study ' + path[2], '`tune status` lists them');
    const query = url.searchParams;
    switch (path[3]) {
      case undefined:
        return send(response, 200, data.studyAnswer(study));
      case 'points':
        return send(response, 200, data.pointsAnswer(study, Number(query.get('after') ?? 0)));
      case 'curves':
        return send(response, 200, data.curvesAnswer(study, query));
      case 'importance':
        return send(response, 200, data.importanceAnswer(study));
      case 'timeline':
        return send(response, 200, data.timelineAnswer(study));
      case 'trials': {
        if (path[4] === undefined) {
          const lines = data.trialLines(study, query);
          return lines.error ? fail(response, 400, lines.error, lines.hint) : send(response, 200, lines);
        }
        const trial = study.trials[Number(path[4]) - 1];
        if (trial === undefined)
          return fail(response, 404, study.name + ' has no trial ' + path[4], 'it has ' + study.trials.length);
        if (path[5] !== 'log') return send(response, 200, data.trialAnswer(study, trial));
        const text = Buffer.from(data.logText(study, trial)),
          asked = Number(query.get('offset') ?? 0);
        const begin = Math.min(text.length, asked < 0 ? Math.max(0, text.length + asked) : asked),
          next = Math.min(text.length, begin + 262_144);
        return send(response, 200, {
          schema: 1,
          study: study.name,
          trial: trial.number,
          attempt: Number(query.get('attempt') ?? 1),
          begin,
          next,
          text: text.subarray(begin, next).toString(),
          live: trial.state === 'running',
          attempts: 1,
        });
      }
    }
    return fail(response, 404, 'no such path');
  }

  async function accept(request, response, url, path) {
    const body = await bodyOf(request);
    if (path[3] === 'invoke') return invoke(response, path[2], url.searchParams.get('path') ?? '/invocations', body);
    const asked = JSON.parse(body.toString());
    requests.push({ path: url.pathname, asked });
    if (path[3] === 'aliases') {
      if (asked.alias === 'moved')
        return fail(
          response,
          409,
          'the alias moved is version 1 now, not ' + asked.expected,
          'look again and decide anew',
        );
      return send(response, 200, {
        schema: 1,
        done: asked.alias + ' of ' + path[2] + ' is version ' + asked.version + ' now',
      });
    }
    const study = studies.get(path[2]);
    if (asked.command === 'pause') study.held = 'ada@gpu-box';
    if (asked.command === 'continue') study.held = null;
    if (asked.command === 'set') Object.assign(study.limits, asked.arguments.limits);
    if (asked.command === 'enqueue' && asked.arguments.parameters.learning_rate > 1)
      return fail(response, 400, 'learning_rate must be between 1e-05 and 0.1', 'the range is in the spec');
    mock.change(study.name, []);
    return send(response, 200, { schema: 1, study: study.name, done: asked.command + ' was done' });
  }

  async function invoke(response, name, path, body) {
    const one = data.kEndpoints[name],
      model = one.model + '@' + one.version;
    response.setHeader('X-Tune-Model', model);
    if (path === '/v2/models/' + encodeURIComponent(name))
      return send(response, 200, {
        name,
        platform: one.platform,
        versions: [one.version],
        parameters: { classes: ['crazing', 'inclusion'] },
      });
    if (path.startsWith('/v2/')) return send(response, 404, { error: 'it goes by ' + name });
    if (path === '/v1/models')
      return send(response, 200, {
        object: 'list',
        data: one.platform === 'tune_language_model' ? [{ id: 'smol' }, { id: 'smol:pirate' }] : [{ id: name }],
      });
    if (path.startsWith('/v1/')) {
      const asked = JSON.parse(body.toString()),
        words = (
          'Answer of ' +
          asked.model +
          ' at ' +
          asked.temperature +
          ': steel is an alloy of iron and carbon.' +
          data.kHostile
        ).split(' ');
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      for (const word of words) {
        response.write(
          'data: ' +
            JSON.stringify({
              choices: [path.includes('chat') ? { delta: { content: word + ' ' } } : { text: word + ' ' }],
            }) +
            '\n\n',
        );
        await new Promise((done) => setTimeout(done, 10));
      }
      return response.end(
        'data: ' +
          JSON.stringify({
            choices: [{ delta: {}, finish_reason: 'stop' }],
            usage: { completion_tokens: words.length },
          }) +
          '\n\ndata: [DONE]\n\n',
      );
    }
    if (one.platform === 'tune_detection') {
      if (body.subarray(0, 3).toString('hex') !== 'ffd8ff' && body.subarray(0, 4).toString('hex') !== '89504e47')
        return send(response, 400, { error: 'this is no image' });
      return send(response, 200, {
        schema: 1,
        task: 'detection',
        model: one.model,
        version: one.version,
        width: 200,
        height: 200,
        detections: [
          { class: 'scratches' + data.kHostile, score: 0.93, box: [20, 30, 120, 90] },
          { class: 'inclusion', score: 0.61, box: [90, 110, 180, 170] },
          { class: 'inclusion', score: 0.12, box: [5, 5, 30, 30] },
        ],
      });
    }
    return send(response, 200, {
      schema: 1,
      task: 'text_classification',
      model: one.model,
      version: one.version,
      classes: ['positive', 'negative', 'neutral' + data.kHostile],
      probabilities: [0.83, 0.12, 0.05],
      labels: ['positive'],
    });
  }

  const server = createServer(
    (request, response) =>
      void answer(request, response).catch((error) => {
        console.error(error);
        if (!response.headersSent) fail(response, 500, String(error));
      }),
  );
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  mock.url = 'http://127.0.0.1:' + server.address().port;
  return mock;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ port: Number(process.argv[2] ?? 8787) });
  setInterval(() => mock.advance('steel-legacy'), 5000);
  console.log(mock.url);
}
