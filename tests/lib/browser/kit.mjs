// What the browser tests stand on: checks that count, an agent that runs `ingest` with pipes, the owner, a browser with
// a profile of its own, and the search for values in whatever was left.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.HQV_MODULES, 'playwright-core', 'package.json'));
export const { chromium } = require('playwright-core');
export const AXE = readFileSync(join(process.env.HQV_MODULES, 'axe-core', 'axe.min.js'), 'utf8');

// --- checks ------------------------------------------------------------------------------------------------

export function check(name, true_, ...why) {
  const words = why.map((w) => String(w).slice(0, 600).replaceAll('\n', '\n        '));
  console.log(true_ ? `ok      ${name}` : [`not ok  ${name}`, ...words].join('\n        '));
}

export const same = (name, expected, found) =>
  check(name, expected === found, `expected: ${expected}`, `found:    ${found}`);

export const holds = (name, words, text) => check(name, text.includes(words), `not there: ${words}`, text);

// Runs one scenario; what it throws is its failure.
export async function scenario(name, run) {
  try {
    await run();
  } catch (error) {
    check(name, false, error.stack ?? error);
  }
}

// --- values ------------------------------------------------------------------------------------------------

const needles = [];

// A value that nobody else has, to be looked for afterwards. It is made here: nothing else on this machine was told it.
export function secret(length = 24) {
  const value = `sk_${randomBytes(length).toString('hex')}`;
  remember(Buffer.from(value));
  return value;
}

// `bytes` in every way that something could have written them.
export function remember(bytes) {
  const part = bytes.subarray(0, 48);
  const ways = [part.toString('latin1'), part.toString('base64').replace(/=+$/, '').slice(0, -2), part.toString('hex')];
  ways.push(ways[1].replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(part.toString('latin1')));
  ways.push(Buffer.from(part.toString('latin1'), 'utf16le').toString('latin1'));
  needles.push(...new Set(ways.filter((way) => way.length >= 12)));
}

const found = (bytes) => needles.some((needle) => bytes.includes(Buffer.from(needle, 'latin1')));

// Whether a text holds a value.
export const agentSaw = (text) => found(Buffer.from(text));

// The files below a folder that hold a value.
export function search(folder) {
  if (!existsSync(folder)) return [];
  if (statSync(folder).isFile()) return found(readFileSync(folder)) ? [folder] : [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return search(path);
    try {
      return entry.isFile() && found(readFileSync(path)) ? [path] : [];
    } catch (error) {
      if (['ENOENT', 'EACCES'].includes(error.code)) return [];
      throw error;
    }
  });
}

// The processes of this user whose arguments or environment hold a value.
export function searchProcesses() {
  const mine = process.getuid();
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    return ['cmdline', 'environ'].some((what) => {
      try {
        return statSync(`/proc/${pid}`).uid === mine && found(readFileSync(`/proc/${pid}/${what}`));
      } catch {
        return false;
      }
    });
  });
}

// --- the two sides -----------------------------------------------------------------------------------------

const OWNER = { ...process.env, HQ_VAULT_PASSPHRASE_FILE: join(process.env.HQV_OWNER, 'passphrase') };

export function owner(...words) {
  const done = spawnSync('hq-vault', words, { env: OWNER, maxBuffer: 1 << 23, timeout: 60_000 });
  return { code: done.status, out: done.stdout, err: done.stderr.toString() };
}

export const stored = (path) => owner('get', path).out;

// What a command without a terminal gives: exit code and stdout.
export function once(...words) {
  const done = spawnSync('hq-vault', words, { cwd: SHOP, timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
  return `${done.status} ${done.stdout}`;
}

// Where the agent works.
const SHOP = join(process.env.HOME, 'src', 'shop');
mkdirSync(SHOP, { recursive: true });

// An agent that runs `ingest` with pipes. `url` is what it can pass on; `ended` is what it got.
export async function agent(path, ...more) {
  const words = ['ingest', path, '--web', '--no-open', ...more];
  const child = spawn('hq-vault', words, { cwd: SHOP, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  const ended = new Promise((done) => child.on('close', (code) => done({ code, out, err })));
  const url = await new Promise((done, failed) => {
    child.stderr.on('data', (data) => {
      err += data;
      const line = /(http:\/\/127\.0\.0\.1:\S+)\s/.exec(err);
      if (line) done(line[1]);
    });
    child.on('close', () => failed(new Error(`ingest told no address: ${err}`)));
  });
  return { path, url, ended, said: () => out + err, kill: () => child.kill('SIGINT') };
}

// --- the browser -------------------------------------------------------------------------------------------

const open = [];
const requests = new Set();

export async function browser(profile, options = {}) {
  const context = await chromium.launchPersistentContext(join(process.env.HOME, profile), {
    executablePath: process.env.HQV_CHROMIUM,
    headless: true,
    viewport: { width: 800, height: 900 },
    locale: 'en-GB',
    args: ['--disable-background-networking', '--disable-component-update', '--no-first-run'],
    ...options,
  });
  context.setDefaultTimeout(15_000);
  context.on('request', (request) => requests.add(new URL(request.url()).origin));
  open.push(context);
  return context;
}

export async function closeAll() {
  await Promise.all(open.splice(0).map((context) => context.close()));
}

// The origins that any page of ours asked for anything.
export const origins = () => [...requests];

export async function visit(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

// Once the page knows what is asked; what is typed before goes nowhere.
export const ready = (page) => page.locator('#value:focus').waitFor();

export async function says(page, words) {
  try {
    await page.locator('#say', { hasText: words }).waitFor();
  } catch (error) {
    throw new Error(`it says "${await page.locator('#say').innerText()}", not "${words}"`, { cause: error });
  }
}

// Findings of axe-core, in words.
export async function axe(page) {
  // The page's own policy forbids a script of ours; the debugger is not bound by it.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map((v) => `${v.id}: ${v.help} (${v.nodes.map((n) => n.target).join(', ')})`);
}
