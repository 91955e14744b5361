// The entry page in a real browser, against the real daemon: what a person does with it, and what goes wrong meanwhile.
import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import * as kit from './kit.mjs';

const { agent, axe, browser, check, holds, owner, ready, remember, same, says, scenario, secret, stored, visit } = kit;
const PICTURES = process.env.HQV_PICTURES;
const at = (name) => join(process.env.HOME, name);
const main = await browser('profile');
await main.grantPermissions(['clipboard-read', 'clipboard-write']);

async function picture(page, name, how) {
  if (PICTURES) await page.screenshot({ path: join(PICTURES, `entry-page-${name}.png`), ...how });
}

async function confirmed(name, entry, bytes, kind = 'other') {
  const { code, out } = await entry.ended;
  same(`${name}: the agent's exit code`, 0, code);
  same(`${name}: the agent's confirmation`, `✅ Stored: ${entry.path} (${bytes} bytes, type: ${kind})\n`, out);
  same(`${name}: nothing of it in what the agent saw`, false, kit.agentSaw(entry.said()));
}

await scenario('typed', async () => {
  const entry = await agent('page/typed', '--type', 'api-key', '--description', 'Stripe live secret key');
  const page = await visit(main, entry.url);
  const value = secret();
  await ready(page);
  same('typed: the secret is out of the address bar', '', new URL(page.url()).hash);
  same('typed: the cursor is in the field', 'value', await page.evaluate(() => document.activeElement.id));
  const text = await page.locator('main').innerText();
  for (const words of ['page/typed', 'api-key, new', 'Stripe live secret key', 'no token']) {
    holds(`typed: it says ${words}`, words, text);
  }
  await page.keyboard.type(value);
  const masked = () => page.locator('#value').evaluate((field) => getComputedStyle(field).webkitTextSecurity);
  same('typed: it is masked', 'disc', await masked());
  await page.getByLabel('Show the value').check();
  same('typed: shown when asked', 'none', await masked());
  holds('typed: the characters are counted', `${value.length} characters`, await page.locator('#size').innerText());
  same('typed: in no argument or environment', '', kit.searchProcesses().join(' '));
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, `Stored: page/typed (${value.length} bytes, api-key)`);
  same('typed: the field is gone', false, await page.locator('#form').isVisible());
  await confirmed('typed', entry, value.length, 'api-key');
  same('typed: byte for byte', value, stored('page/typed').toString());
  holds('typed: show names the route', 'ingest-page', owner('show', 'page/typed').out.toString());
  await page.reload();
  await says(page, 'Stored. You can close this page.');
  // The browser keeps the whole address in its history. It is good for nothing any more.
  const late = await main.newPage();
  const answer = await late.goto(entry.url).catch(() => null);
  if (answer) await late.locator('#say', { hasText: /\w/ }).waitFor();
  same('en1: a used address opens nothing', false, answer !== null && (await late.locator('#form').isVisible()));
  await late.close();
  const again = kit.once('ingest', 'page/typed', '--type', 'api-key', '--description', 'Stripe live secret key');
  const expected = `0 ✅ Stored: page/typed (${value.length} bytes, type: api-key)\n`;
  same('typed: the same command once more confirms the same', expected, again);
  await page.close();
});

await scenario('pasted', async () => {
  const entry = await agent('page/pasted', '--type', 'ssh-key');
  const page = await visit(main, entry.url);
  const lines = [0, 1, 2].map(() => secret(30));
  const pem = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
  await page.evaluate((text) => navigator.clipboard.writeText(text), pem);
  await page.locator('#value').focus();
  await page.keyboard.press('Control+V');
  await page.evaluate(() => navigator.clipboard.writeText(''));
  holds('pasted: the lines are counted', 'in 5 lines', await page.locator('#size').innerText());
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Stored: page/pasted');
  await confirmed('pasted', entry, pem.length, 'ssh-key');
  same('pasted: several lines to the last byte', pem, stored('page/pasted').toString());
  await page.close();
});

await scenario('a file', async () => {
  const entry = await agent('page/file', '--type', 'certificate');
  const page = await visit(main, entry.url);
  const bytes = Buffer.concat([Buffer.from([...Array(256).keys()]), randomBytes(4096)]);
  remember(bytes.subarray(300));
  const file = (buffer) => ({ name: '<img src=x>.bin', mimeType: 'application/octet-stream', buffer });
  await page.locator('#file').setInputFiles(file(Buffer.alloc(1024 * 1024 + 1)));
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'over 1 MiB');
  await page.getByRole('button', { name: 'Take the file out' }).click();
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'There is nothing to store yet.');
  await page.locator('#file').setInputFiles(file(bytes));
  same('a file: its name is only text', 0, await page.locator('img').count());
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Stored: page/file');
  await confirmed('a file', entry, bytes.length, 'certificate');
  check('a file: byte for byte', stored('page/file').equals(bytes));
  await page.close();
});

await scenario('1 MiB', async () => {
  const entry = await agent('page/largest');
  const page = await visit(main, entry.url);
  await ready(page);
  const bytes = randomBytes(1024 * 1024);
  remember(bytes);
  await page.locator('#file').setInputFiles({ name: 'large', mimeType: 'application/octet-stream', buffer: bytes });
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Stored: page/largest');
  await confirmed('1 MiB', entry, bytes.length);
  check('1 MiB: byte for byte', stored('page/largest').equals(bytes));
  await page.close();
});

await scenario('reload and back', async () => {
  const entry = await agent('page/reload');
  const page = await visit(main, entry.url);
  const value = secret();
  await page.keyboard.type(value);
  await page.reload();
  same('reload: the value is not kept', '', await page.locator('#value').inputValue());
  await page.keyboard.type(value);
  await page.goto('about:blank');
  await page.goBack();
  await page.locator('#form').waitFor();
  same('back: the value is not kept', '', await page.locator('#value').inputValue());
  await page.locator('#value').fill(value);
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Stored: page/reload');
  await confirmed('reload and back', entry, value.length);
  await page.goto('about:blank');
  await page.goBack();
  await says(page, 'Stored. You can close this page.');
  check('back: the end stays the end', !(await page.locator('#form').isVisible()));
  await page.close();
});

await scenario('two tabs', async () => {
  const entry = await agent('page/tabs');
  const [one, two] = [await visit(main, entry.url), await visit(main, entry.url)];
  const value = secret();
  await two.locator('#value').fill(secret());
  await one.locator('#value').fill(value);
  await one.bringToFront();
  await one.getByRole('button', { name: 'Store' }).click();
  await says(one, 'Stored: page/tabs');
  await two.bringToFront();
  await says(two, 'stored for this entry in another tab or terminal');
  same('two tabs: the other one has no field left', false, await two.locator('#form').isVisible());
  await confirmed('two tabs', entry, value.length);
  same('two tabs: the first one counts', value, stored('page/tabs').toString());
  await one.close();
  await two.close();
});

await scenario('two at once', async () => {
  const entry = await agent('page/race');
  const pages = [await visit(main, entry.url), await visit(main, entry.url), await visit(main, entry.url)];
  const values = pages.map(() => secret());
  for (const [n, page] of pages.entries()) await page.locator('#value').fill(values[n]);
  await Promise.all(pages.map((page) => page.evaluate(() => document.getElementById('store').click())));
  await Promise.all(pages.map((page) => says(page, /Stored: page\/race|in another tab|is over/)));
  const ends = await Promise.all(pages.map((page) => page.locator('#say').innerText()));
  const winners = ends.flatMap((words, n) => (words.startsWith('Stored: ') ? [n] : []));
  same('two at once: one says that it stored', 1, winners.length);
  same('two at once: and that one did', values[winners[0]], stored('page/race').toString());
  const versions = JSON.parse(owner('show', 'page/race', '--json').out).versions;
  same('two at once: one version', 1, versions.length);
  await entry.ended;
  for (const page of pages) await page.close();
});

await scenario('a double submit', async () => {
  const entry = await agent('page/double');
  const page = await visit(main, entry.url);
  let posts = 0;
  page.on('request', (request) => (posts += request.url().endsWith('/store') ? 1 : 0));
  await page.locator('#value').fill(secret());
  await page.evaluate(() => {
    const form = document.getElementById('form');
    for (let n = 0; n < 5; n++) form.requestSubmit();
  });
  await says(page, 'Stored: page/double');
  same('a double submit: one post', 1, posts);
  same('a double submit: one version', 1, JSON.parse(owner('show', 'page/double', '--json').out).versions.length);
  await entry.ended;
  await page.close();
});

await scenario('refused', async () => {
  const entry = await agent('page/refused');
  const page = await visit(main, entry.url);
  await page.getByRole('button', { name: 'Refuse' }).click();
  await says(page, 'Refused. Nothing was stored.');
  same('refused: the agent ends with 8', 8, (await entry.ended).code);
  same('refused: nothing is there', 3, owner('get', 'page/refused').code);
  await page.close();
});

await scenario('the keyboard alone', async () => {
  const entry = await agent('page/keyboard');
  const page = await visit(main, entry.url);
  await ready(page);
  const value = secret();
  await page.keyboard.type(value);
  const path = [];
  for (let n = 0; n < 4; n++) {
    await page.keyboard.press('Tab');
    path.push(await page.evaluate(() => document.activeElement.id));
    const ring = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return style.outlineStyle !== 'none' || style.boxShadow !== 'none';
    });
    check(`the keyboard alone: focus is seen on ${path.at(-1)}`, ring);
    if (path.at(-1) === 'show') await page.keyboard.press('Space');
  }
  same('the keyboard alone: the way of the focus', 'show file store refuse', path.join(' '));
  await page.locator('#store').focus();
  await page.keyboard.press('Enter');
  await says(page, 'Stored: page/keyboard');
  same('the keyboard alone: the outcome has the focus', 'say', await page.evaluate(() => document.activeElement.id));
  await confirmed('the keyboard alone', entry, value.length);
  await page.close();
});

await scenario('no JavaScript', async () => {
  const entry = await agent('page/no-script');
  const plain = await browser('plain-profile', { javaScriptEnabled: false });
  const page = await visit(plain, entry.url);
  holds('no JavaScript: it says so', 'This page needs JavaScript', await page.locator('noscript').innerText());
  same('no JavaScript: no field to type in vain', false, await page.locator('#form').isVisible());
  entry.kill();
  await page.close();
});

await scenario('what goes wrong', async () => {
  const entry = await agent('page/wrong');
  const page = await visit(main, entry.url);
  const value = secret();
  await page.locator('#value').fill(` ${value}`);
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'There is a blank at the beginning.');
  await page.locator('#value').fill(value);
  await page.route('**/store', (route) => route.abort());
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'The vault does not answer.');
  await page.unroute('**/store');
  await page.route('**/store', (route) => route.continue({ postData: '{"enc": 1}' }));
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Not stored:');
  await page.unroute('**/store');
  owner('lock');
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'The vault is locked. Run hq-vault unlock');
  same('what goes wrong: the value is still there', value, await page.locator('#value').inputValue());
  owner('unlock');
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Stored: page/wrong');
  await confirmed('what goes wrong', entry, value.length);
  await page.close();
});

// The vault does as it is told, and its answer is lost.
const lost = async (route) => {
  await route.fetch();
  await route.abort();
};

await scenario('a lost answer', async () => {
  const entry = await agent('page/lost');
  const page = await visit(main, entry.url);
  const value = secret();
  await page.locator('#value').fill(value);
  await page.route('**/store', lost, { times: 1 });
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, `Stored: page/lost (${value.length} bytes`);
  await confirmed('a lost answer', entry, value.length);
  same('a lost answer: one version', 1, JSON.parse(owner('show', 'page/lost', '--json').out).versions.length);
  await page.close();
});

await scenario('an answer that breaks off', async () => {
  const entry = await agent('page/broken');
  const page = await visit(main, entry.url);
  const value = secret();
  await page.locator('#value').fill(value);
  await page.route('**/store', (route) => route.fulfill({ status: 200, body: '{"path": "page/bro' }), { times: 2 });
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Whether it was stored is not known');
  same('an answer that breaks off: the value is still there', value, await page.locator('#value').inputValue());
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Stored: page/broken');
  await confirmed('an answer that breaks off', entry, value.length);
  await page.close();
});

await scenario('lost, and stored by another', async () => {
  const entry = await agent('page/overtaken');
  const [one, two] = [await visit(main, entry.url), await visit(main, entry.url)];
  const value = secret();
  await one.locator('#value').fill(secret());
  await one.route('**/store', (route) => route.abort(), { times: 2 });
  await one.getByRole('button', { name: 'Store' }).click();
  await says(one, 'Whether it was stored is not known');
  await two.bringToFront();
  await two.locator('#value').fill(value);
  await two.getByRole('button', { name: 'Store' }).click();
  await says(two, 'Stored: page/overtaken');
  await one.bringToFront();
  await says(one, 'in another tab or terminal. Nothing was stored from here.');
  await confirmed('lost, and stored by another', entry, value.length);
  await one.close();
  await two.close();
});

await scenario('lost, and given up', async () => {
  const entry = await agent('page/given-up');
  const page = await visit(main, entry.url);
  const value = secret();
  await page.locator('#value').fill(value);
  await page.route('**/state', (route) => route.abort());
  await page.route('**/store', lost, { times: 2 });
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Whether it was stored is not known');
  await page.locator('#value').fill(secret());
  await page.unroute('**/state');
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Whether it is one that was entered here is not known');
  await confirmed('lost, and given up', entry, value.length);
  same('lost, and given up: the first one counts', value, stored('page/given-up').toString());
  await page.reload();
  await says(page, 'Whether it is one that was entered here is not known');
  await page.close();
});

await scenario('what cannot be encrypted', async () => {
  const entry = await agent('page/unsealed');
  const page = await visit(main, entry.url);
  const value = secret();
  let posts = 0;
  page.on('request', (request) => (posts += request.url().endsWith('/store') ? 1 : 0));
  await page.locator('#value').fill(value);
  await page.evaluate(() => (crypto.subtle.generateKey = () => Promise.reject(new Error('no'))));
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'This browser could not encrypt the value. Nothing was sent');
  same('what cannot be encrypted: nothing was', 0, posts);
  await page.evaluate(() => delete crypto.subtle.generateKey);
  await page.getByRole('button', { name: 'Store' }).click();
  await says(page, 'Stored: page/unsealed');
  await confirmed('what cannot be encrypted', entry, value.length);
  await page.close();
});

await scenario('a refusal that fails', async () => {
  const entry = await agent('page/unrefused');
  const page = await visit(main, entry.url);
  await page.route('**/refuse', (route) => route.abort(), { times: 1 });
  await page.getByRole('button', { name: 'Refuse' }).click();
  await says(page, 'Whether the entry is refused is not known');
  await page.route('**/refuse', (route) => route.fulfill({ status: 503, json: { error: 'busy', code: 'UNAVAILABLE' } }), { times: 1 });
  await page.getByRole('button', { name: 'Refuse' }).click();
  await says(page, 'Not refused: busy. What you entered is still here.');
  await page.route('**/refuse', lost, { times: 1 });
  await page.getByRole('button', { name: 'Refuse' }).click();
  await says(page, 'Refused. Nothing was stored.');
  same('a refusal that fails: the agent ends with 8', 8, (await entry.ended).code);
  await page.close();
});

await scenario('its time is over', async () => {
  const entry = await agent('page/over');
  const page = await visit(main, entry.url);
  await page.locator('#value').fill(secret());
  // Ten minutes are not waited for here: the daemon's own tests do that. What the page makes of it is seen.
  const id = new URL(entry.url).pathname.slice(1);
  await page.route('**/state', (route) => route.fulfill({ json: { id, state: 'expired' } }));
  await says(page, 'The time for this entry is over.');
  same('its time is over: the value is gone', '', await page.locator('#value').inputValue());
  same('its time is over: and the field', false, await page.locator('#form').isVisible());
  const late = await visit(main, entry.url);
  await late.getByRole('button', { name: 'Refuse' }).click();
  await says(late, 'Refused.');
  same('its time is over: the agent ends with 8', 8, (await entry.ended).code);
  await page.goto('about:blank');
  const answer = await page.goto(entry.url).catch(() => null);
  if (answer) await says(page, /refused in another tab|is over/);
  const field = answer !== null && (await page.locator('#form').isVisible());
  same('its time is over: nothing can be entered by its address', false, field);
  await page.close();
  await late.close();
});

await scenario('text from outside', async () => {
  const bad = '<img src=x onerror=document.title=1><script>document.title=2</script>"\'&lt;';
  const entry = await agent('page/<b>bold<!--', '--description', bad);
  const page = await visit(main, entry.url);
  const text = await page.locator('main').innerText();
  holds('en4: the description is text', bad, text);
  holds('en4: the path is text', 'page/<b>bold<!--', text);
  same('en4: nothing came of it', 'Enter a secret - HQ Vault', await page.title());
  same('en4: no element', 0, await page.locator('main img, main script, main b').count());
  entry.kill();
  await page.close();
});

await scenario('another site', async () => {
  const entry = await agent('page/foreign');
  const { origin, pathname } = new URL(entry.url);
  const [submit] = new URL(entry.url).hash.slice(1).split('.');
  const site = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<title>evil</title>'));
  await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
  const page = await main.newPage();
  await page.goto(`http://localhost:${site.address().port}/`);
  const tried = await page.evaluate(async ({ target, submit }) => {
    const attempt = (how) => fetch(`${target}/refuse`, how).then((a) => `${a.type} ${a.status}`, () => 'blocked');
    const frame = document.createElement('iframe');
    frame.src = target;
    document.body.append(frame);
    await new Promise((done) => (frame.onload = done));
    return {
      simple: await attempt({ method: 'POST', mode: 'no-cors', body: '{}' }),
      cors: await attempt({ method: 'POST', headers: { 'x-hqv-submit': submit } }),
      read: await fetch(target).then((a) => a.text(), () => 'blocked'),
    };
  }, { target: origin + pathname, submit });
  same('en2: a request with the header is blocked', 'blocked', tried.cors);
  same('en2: the page cannot be read', 'blocked', tried.read);
  const frames = page.frames().map((frame) => frame.url());
  check('en2: nor framed', !frames.some((url) => url.startsWith(origin)), frames.join(' '));
  const form = await main.newPage();
  await form.goto(`http://localhost:${site.address().port}/`);
  await form.evaluate((target) => {
    const sent = document.createElement('form');
    Object.assign(sent, { method: 'post', action: `${target}/refuse`, enctype: 'text/plain' });
    document.body.append(sent);
    sent.submit();
  }, origin + pathname);
  await form.waitForURL(`${origin}/**`);
  const mine = await visit(main, entry.url);
  await mine.locator('#form').waitFor();
  check('en2: after all that the entry still waits', true);
  entry.kill();
  for (const p of [page, form, mine]) await p.close();
  site.close();
});

await scenario('looks', async () => {
  let n = 0;
  for (const [name, options] of [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { colorScheme: 'light', viewport: { width: 320, height: 720 } }],
    ['forced-colours', { forcedColors: 'active' }],
  ]) {
    const context = await browser(`looks-${name}`, { viewport: { width: 720, height: 640 }, ...options });
    const purpose = `Stripe live secret key${' '.repeat(n)}`;
    const entry = await agent('stripe/secret-key', '--type', 'api-key', '--description', purpose);
    const page = await visit(context, entry.url);
    await page.keyboard.type(secret());
    same(`${name}: axe-core finds nothing`, '', (await axe(page)).join('; '));
    const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    same(`${name}: nothing is cut off`, true, fits);
    if (name !== 'forced-colours') await picture(page, name, { fullPage: true });
    await page.locator('#value').fill(' x');
    await page.getByRole('button', { name: 'Store' }).click();
    await says(page, 'There is a blank');
    same(`${name}: nor beside a complaint`, '', (await axe(page)).join('; '));
    await page.locator('#value').fill(secret());
    await page.getByRole('button', { name: 'Store' }).click();
    await says(page, 'Stored: stripe');
    same(`${name}: nor at the end`, '', (await axe(page)).join('; '));
    if (name === 'light') await picture(page, 'done', { clip: { x: 0, y: 0, width: 720, height: 300 } });
    await entry.ended;
    // The next one asks for the same path anew; a blank at the end keeps it from joining this one.
    owner('delete', 'stripe/secret-key', '--force', '--purge');
    n += 1;
  }
});

const others = kit.origins().filter((origin) => !/^(http:\/\/(127\.0\.0\.1|localhost):\d+|null)$/.test(origin));
same('nothing was asked of anybody else', '', others.join(' '));
same('in no argument or environment at the end', '', kit.searchProcesses().join(' '));
await kit.closeAll();

// --- whatever was left ---------------------------------------------------------------------------------------

const control = secret();
writeFileSync(at('control'), `before ${Buffer.from(control).toString('base64')} after`);
same('the search finds what is there', at('control'), kit.search(at('control')).join(' '));
writeFileSync(at('control'), '');
for (const [what, folder] of [
  ['the home, with profiles, caches, vault, log and record', process.env.HOME],
  ['the temporary folder', process.env.TMPDIR],
  ['/dev/shm', '/dev/shm'],
]) {
  same(`mm2: no value in ${what}`, '', kit.search(folder).join(' '));
}
const recording = process.env.HQV_RECORDING;
if (recording) {
  // Whoever records stops at our word, and says when all is written.
  writeFileSync(process.env.HQV_STAGE + '/open/stop', 'stop');
  readFileSync(process.env.HQV_STAGE + '/open/stopped');
  writeFileSync(process.env.HQV_STAGE + '/open/stop.done', '');
  const bytes = readFileSync(recording);
  check('en5: the recording has the posts', bytes.includes('/store HTTP/1.1') && bytes.includes('"ciphertext":"'), bytes.length);
  same('en5: no value in the recording of loopback', '', kit.search(recording).join(' '));
}
