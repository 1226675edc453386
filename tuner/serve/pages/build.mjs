// Builds the pages into a folder: `node build.mjs [FOLDER]`, without one ../assets, which is committed so that `tune` builds without Node.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? join(here, '../assets'));

const built = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx' },
  outdir: '/nowhere',
  write: false,
  metafile: true,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
});

// A file's name says what is in it, so that a browser may keep it for ever.
function named(name, ending, content) {
  return name + '-' + createHash('sha256').update(content).digest('hex').slice(0, 12) + ending;
}

const script = built.outputFiles.find(({ path }) => path.endsWith('.js')).text;
const style = built.outputFiles.find(({ path }) => path.endsWith('.css')).text;
const scriptName = named('app', '.js', script), styleName = named('app', '.css', style);
const page = (await readFile(join(here, 'index.html'), 'utf8')).replace('/assets/app.js', '/assets/' + scriptName).replace('/assets/app.css', '/assets/' + styleName);

// The licence of every package that is in the bundle.
const packages = new Set();
for (const input of Object.keys(built.metafile.inputs)) {
  const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (match) packages.add(match[1]);
}
let licences = 'What is bundled into the pages, and the licences of it.\n';
for (const name of [...packages].sort()) {
  const folder = join(here, 'node_modules', name);
  const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(name + ' brings no licence');
  licences += '\n' + '='.repeat(80) + '\n' + name + ' ' + version + ' (' + license + ')\n\n' + (await readFile(join(folder, file), 'utf8')).trim() + '\n';
}

await mkdir(output, { recursive: true });
for (const old of await readdir(output)) if (/^app-[0-9a-f]+\.(js|css)$/.test(old)) await rm(join(output, old));
for (const [name, content] of [['index.html', page], [scriptName, script], [styleName, style], ['licences.txt', licences],
  ['favicon.svg', await readFile(join(here, 'favicon.svg'), 'utf8')]])
  await writeFile(join(output, name), content);
console.log(scriptName + ' ' + Math.round(script.length / 1024) + ' kB, ' + styleName + ' ' + Math.round(style.length / 1024) + ' kB');
