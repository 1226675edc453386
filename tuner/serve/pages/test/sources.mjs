// A module of the sources, for a test in Node.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

export async function source(path) {
  const folder = await mkdtemp(join(tmpdir(), 'tune-pages-'));
  const outfile = join(folder, 'module.mjs');
  await esbuild.build({ absWorkingDir: root, entryPoints: ['src/' + path], outfile, bundle: true, format: 'esm', platform: 'node', jsx: 'automatic', jsxImportSource: 'preact' });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}
