// What is committed in ../assets is what the sources give, and asks for nothing outside.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url)), assets = join(here, '../../assets');

test('the committed bundle is what the sources give', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tune-pages-'));
  try {
    await promisify(execFile)(process.execPath, [join(here, '../build.mjs'), folder]);
    assert.deepEqual((await readdir(assets)).sort(), (await readdir(folder)).sort(), 'run `./dev pages`');
    for (const name of await readdir(folder)) assert.ok((await readFile(join(folder, name))).equals(await readFile(join(assets, name))), name + ' differs: run `./dev pages`');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the page has no script or style of its own, and the bundle names no address to fetch', async () => {
  const page = await readFile(join(assets, 'index.html'), 'utf8');
  assert.doesNotMatch(page, /<style|style=|<script(?![^>]*\bsrc=)|\son\w+=/i);
  for (const name of await readdir(assets)) {
    if (!/\.(js|css|html)$/.test(name)) continue;
    const addresses = (await readFile(join(assets, name), 'utf8')).match(/(?:https?:)?\/\/[a-z0-9][\w.-]*\.[a-z]{2,}[^"'`\s)]*/gi) ?? [];
    // Names of XML's vocabularies, which nobody fetches.
    assert.deepEqual(addresses.filter((address) => !/^http:\/\/www\.w3\.org\/(1998|1999|2000)\//.test(address)), [], name);
    assert.doesNotMatch(await readFile(join(assets, name), 'utf8'), /\beval\(|new Function\(|innerHTML=`|document\.write\(/);
  }
});

test('every bundled package has its licence', async () => {
  const licences = await readFile(join(assets, 'licences.txt'), 'utf8');
  for (const name of ['preact', '@preact/signals', '@preact/signals-core', 'uplot', 'd3-scale', 'd3-array']) assert.match(licences, new RegExp('^' + name + ' [\\d.]+ \\(', 'm'));
});

test('the lock file names no host of a registry', async () => {
  assert.doesNotMatch(await readFile(join(here, '../package-lock.json'), 'utf8'), /"resolved"/);
});
