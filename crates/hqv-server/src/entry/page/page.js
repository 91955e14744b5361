'use strict';
// The entry page. What it may know is in the address: the entry's id in the path, and in the fragment, which no server
// ever sees, the submit secret and the hash of the key that the value is sealed to. Text from outside is only ever set
// as text. The value stands in its field and nowhere else, and leaves the page sealed.
(() => {
  const MAX = 1024 * 1024;
  const POLL = 3000;
  const ID = /^ent_[0-9a-z]{26}$/;
  const KEYS = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;
  // How it can end: the words, and whether they are bad news. A reload shows the same.
  const ENDS = {
    stored: ['Stored. You can close this page.', false],
    refused: ['Refused. Nothing was stored. You can close this page.', false],
    expired: [
      'The time for this entry is over. Nothing was stored. If the value is still wanted, the program has to ask again.',
      true,
    ],
    storedElsewhere: [
      'A value was stored for this entry in another tab or terminal. Nothing was stored from here. You can close this page.',
      false,
    ],
    storedUnknown: [
      'A value was stored for this entry. Whether it is one that was entered here is not known: hq-vault show tells its length and when it came. You can close this page.',
      true,
    ],
    refusedElsewhere: [
      'This entry was refused in another tab or terminal. Nothing was stored. You can close this page.',
      true,
    ],
    gone: [
      'This entry is over, or was never here. Nothing is known to be stored from this page. If a value is still wanted, the program has to ask again.',
      true,
    ],
    incomplete: [
      'This page has done its work, or its address is not complete. Open the whole address that you were given, or enter the value in a terminal of yours: hq-vault answer',
      true,
    ],
    foreign: ['This page does not come from the vault that its address names. Nothing was sent. Close it.', true],
    insecure: ['This page works at 127.0.0.1 and localhost only, where the browser lets it encrypt. Nothing was sent.', true],
  };
  const LOCKED = 'The vault is locked. Run hq-vault unlock in a terminal of yours, then';
  const UNREACHED =
    'The vault does not answer. Whether it was stored is not known; what you entered is still here. Press Store to try again.';
  const UNREFUSED =
    'The vault does not answer. Whether the entry is refused is not known; what you entered is still here. Press Refuse to try again.';
  const UNSEALED =
    'This browser could not encrypt the value. Nothing was sent; what you entered is still here. Try another browser, or a terminal of yours: hq-vault answer';
  const BLANKS = 'Press Store again to keep it as it is, or change it.';

  const $ = (id) => document.getElementById(id);
  const id = location.pathname.slice(1);
  let keys = null; // { submit, hash }
  let about = null;
  let busy = false;
  let over = false;
  let agreed = false; // to blanks at the ends
  let message = null; // { body, dropped, lost }: sealed, and not answered yet
  let doubt = false; // whether one that nobody answered was given up: it may be what is stored
  let refusing = false; // whether it was refused from here
  let timer = 0;

  // --- talking to the vault ------------------------------------------------------------------------------

  // The mode stays fetch's own: in mode same-origin, with no-referrer, browsers would send `Origin: null`.
  async function call(verb, body) {
    const headers = { 'x-hqv-submit': keys.submit };
    if (body) headers['content-type'] = 'application/json';
    const options = { method: 'POST', cache: 'no-store', credentials: 'omit', redirect: 'error', headers, body };
    const response = await fetch(`/${id}/${verb}`, options);
    let answer = null;
    try {
      answer = await response.json();
    } catch (error) {
      // Without its words a refusal's status says enough; a yes that broke off says nothing.
      if (response.ok) throw error;
    }
    return { ok: response.ok, status: response.status, answer };
  }

  // --- words ---------------------------------------------------------------------------------------------

  function say(words, bad) {
    const place = $('say');
    place.classList.toggle('bad', Boolean(bad));
    place.textContent = words;
  }

  // The end: no field, no secret, and nothing left in this tab but how it ended.
  function end(how, words) {
    over = true;
    clearTimeout(timer);
    clearValue();
    keys = null;
    message = null;
    sessionStorage.removeItem(id);
    history.replaceState({ how }, '', location.pathname);
    for (const part of ['form', 'lead', 'until', 'until-name']) $(part).hidden = true;
    say(words ?? ENDS[how][0], ENDS[how][1]);
    $('say').focus();
  }

  // How an entry stands that does not wait any more, where it was not this page that ended it.
  function ended(state) {
    if (state === 'stored') end(doubt ? 'storedUnknown' : 'storedElsewhere');
    else if (state === 'refused') end(refusing ? 'refused' : 'refusedElsewhere');
    else end(state === 'expired' ? 'expired' : 'gone');
  }

  function described(not, error, fallback) {
    const words = [error?.error, error?.hint].filter(Boolean).join('. ');
    return `${not}: ${words || fallback}. What you entered is still here.`;
  }

  function show(field, term, words) {
    $(field).textContent = words;
    $(field).hidden = !words;
    $(term).hidden = !words;
  }

  // A claim that could be read as words of ours stands in quotes, of which it has none of its own.
  function claim(text) {
    const plain = /^[\p{Alphabetic}\p{N}._\-+@/~:]+( \(pid [0-9]+\))?$/u.test(text);
    return plain ? text : `"${text.replaceAll('"', "'")}"`;
  }

  // The same words as the prompt in a terminal has.
  function asked({ program, directory, token, owner, pid, source }) {
    const who = program ? claim(program) : 'a program that does not say its name';
    const where = directory ? ` in ${claim(directory)}` : '';
    const right = owner ? ', as the owner' : token ? `, token ${token}` : ', no token';
    if (pid) return `${who}${where}${right} (by process ${pid} on this machine)`;
    return `${who}${where}${right}${source === 'socket' ? '' : ` (from ${source})`}`;
  }

  function render() {
    const { path, type, description, overwrite, exists, asker, vaultDir, expiresAt } = about;
    $('path').textContent = path;
    const replaces = exists ?? overwrite;
    const taken = exists ? 'there is a value already, and this cannot replace it' : 'new';
    const state = overwrite && replaces ? 'replaces the value there now' : taken;
    $('kind').textContent = `(${[type, state].filter(Boolean).join(', ')})`;
    show('description', 'what-for', description ?? '');
    show('vault', 'vault-name', vaultDir ?? '');
    $('asker').textContent = asked(asker);
    $('until').textContent = new Date(expiresAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    $('about').hidden = false;
    $('form').hidden = false;
  }

  // --- the value -----------------------------------------------------------------------------------------

  function clearValue() {
    $('value').value = '';
    $('file').value = '';
    $('show').checked = false;
    changed();
    shown();
  }

  function shown() {
    $('value').classList.toggle('masked', !$('show').checked);
  }

  function changed() {
    agreed = false;
    // What was sealed is not what stands here now.
    if (message?.lost) doubt = true;
    message = null;
    const file = $('file').files[0];
    const value = $('value').value;
    $('drop').hidden = !file;
    $('value').disabled = Boolean(file);
    if (file) {
      $('size').textContent = `${file.name}, ${file.size.toLocaleString()} bytes`;
    } else if (value === '') {
      $('size').textContent = 'Nothing entered yet.';
    } else {
      const count = [...value].length;
      const lines = value.replace(/\n$/, '').split('\n').length;
      const characters = `${count.toLocaleString()} character${count === 1 ? '' : 's'}`;
      $('size').textContent = lines === 1 ? characters : `${characters} in ${lines.toLocaleString()} lines`;
    }
  }

  async function entered() {
    const file = $('file').files[0];
    if (!file) return new TextEncoder().encode($('value').value);
    if (file.size > MAX + 1) return new Uint8Array(MAX + 2);
    return new Uint8Array(await file.arrayBuffer());
  }

  // A single line ended by a newline loses that newline; several lines are kept to the last byte.
  function kept(bytes) {
    const first = bytes.indexOf(10);
    return first >= 0 && first === bytes.length - 1 ? bytes.subarray(0, first) : bytes;
  }

  function blanksAtTheEnds(bytes) {
    const blank = (byte) => byte === 32 || byte === 9 || byte === 13 || byte === 10;
    const before = blank(bytes[0]);
    // A text of several lines may well end in a newline; a blank before that is another thing.
    let last = bytes.length - 1;
    if (bytes[last] === 10) last -= bytes[last - 1] === 13 ? 2 : 1;
    const after = last < 0 || blank(bytes[last]);
    if (before && after) return 'There are blanks at both ends.';
    if (before) return 'There is a blank at the beginning.';
    return after ? 'There is a blank at the end.' : '';
  }

  // Words that say what is wrong with the value, or nothing.
  function objection(bytes) {
    if (bytes.length === 0) return 'There is nothing to store yet.';
    if (bytes.length > MAX) return 'That is over 1 MiB, more than a secret may be. Nothing was stored.';
    const blanks = agreed ? '' : blanksAtTheEnds(bytes);
    if (!blanks) return '';
    agreed = true;
    return `${blanks} ${BLANKS}`;
  }

  // --- what a person does --------------------------------------------------------------------------------

  async function alone(work) {
    if (busy || over) return;
    busy = true;
    for (const name of ['store', 'refuse']) $(name).setAttribute('aria-disabled', 'true');
    try {
      await work();
    } finally {
      busy = false;
      for (const name of ['store', 'refuse']) $(name).removeAttribute('aria-disabled');
    }
  }

  // Seals what was entered. Whether there is a message to send.
  async function sealed() {
    let whole;
    try {
      whole = await entered();
    } catch {
      say('The file could not be read. Nothing was stored.', true);
      return false;
    }
    const bytes = kept(whole);
    try {
      const wrong = objection(bytes);
      if (wrong) {
        say(wrong, true);
        ($('value').disabled ? $('file') : $('value')).focus();
        return false;
      }
      const publicKey = entrySeal.fromBase64url(about.publicKey);
      const info = await entrySeal.info(about.vault, id, about.path, about.overwrite);
      const { enc, ciphertext } = await entrySeal.seal(publicKey, info, bytes);
      const body = { enc: entrySeal.toBase64url(enc), ciphertext: entrySeal.toBase64url(ciphertext) };
      message = { body: JSON.stringify(body), dropped: bytes.length < whole.length };
      return true;
    } catch {
      say(UNSEALED, true);
      return false;
    } finally {
      whole.fill(0);
    }
  }

  async function store() {
    // One whose answer was lost goes out again as it is: the vault knows it, and stores it once.
    if (!message && !(await sealed())) return;
    say('Storing.');
    await send();
  }

  // Sends the message, and once more where the answer was lost. It is kept until it is answered.
  async function send() {
    const sent = message;
    const once = () => call('store', sent.body);
    const again = () => {
      sent.lost = true;
      return once();
    };
    const result = await once().catch(again).catch(() => null);
    // It may be stored still, unless the vault said that it had it or never will.
    const open = sent.lost && !result?.ok && result?.answer?.code !== 'CONFLICT';
    if (open && (result || message !== sent)) doubt = true;
    if (!result) {
      say(UNREACHED, true);
      return;
    }
    message = null;
    await settled(result, sent.dropped);
  }

  async function settled({ ok, status, answer }, dropped) {
    if (ok) {
      const what = `${answer.path} (${answer.bytes.toLocaleString()} byte${answer.bytes === 1 ? '' : 's'}, ${answer.type})`;
      const newline = dropped ? ' The newline at the end was left out.' : '';
      end('stored', `Stored: ${what}.${newline} You can close this page.`);
    } else if (status === 404) {
      end('gone');
    } else if (answer?.code === 'VAULT_LOCKED') {
      say(`${LOCKED} press Store again. What you entered is still here.`, true);
    } else {
      say(described('Not stored', answer, 'press Store to try again'), true);
      await look();
    }
  }

  async function refuse() {
    refusing = true;
    const result = await call('refuse').catch(() => null);
    if (!result) {
      say(UNREFUSED, true);
      await look();
    } else if (result.ok) {
      end('refused');
    } else if (result.status === 404) {
      end('gone');
    } else {
      say(described('Not refused', result.answer, 'press Refuse to try again'), true);
      await look();
    }
  }

  // --- what happens elsewhere ----------------------------------------------------------------------------

  async function look() {
    // Not between a message that somebody has just begun to send and its answer.
    const mine = busy;
    try {
      const { ok, status, answer } = await call('state');
      if (over || busy !== mine) return;
      if (status === 404) end('gone');
      // Whether it is ours that was stored, the vault says to whoever brings it again.
      else if (ok && answer.state === 'stored' && message) await (mine ? send() : alone(send));
      else if (ok && answer.state !== 'waiting') ended(answer.state);
    } catch {
      // The vault is not reachable at the moment; Store says so when it matters.
    }
  }

  function keepLooking() {
    timer = setTimeout(async () => {
      if (!busy && document.visibilityState === 'visible') await look();
      if (!over) keepLooking();
    }, POLL);
  }

  // --- the beginning -------------------------------------------------------------------------------------

  // Takes the secret out of the address bar. A reload finds it in this tab's own store, until the end.
  function takeKeys() {
    const given = location.hash.slice(1);
    const text = KEYS.test(given) ? given : (sessionStorage.getItem(id) ?? '');
    if (location.hash) history.replaceState(history.state, '', location.pathname);
    const found = KEYS.exec(text);
    if (!found) return null;
    sessionStorage.setItem(id, text);
    return { submit: found[1], hash: found[2] };
  }

  async function begin() {
    if (!isSecureContext) {
      end('insecure');
      return;
    }
    const before = history.state?.how;
    if (before in ENDS && !location.hash) {
      end(before);
      return;
    }
    keys = ID.test(id) ? takeKeys() : null;
    if (!keys) {
      end('incomplete');
      return;
    }
    let result;
    try {
      result = await call('about');
    } catch {
      say('The vault does not answer. Load this page again.', true);
      return;
    }
    const { ok, status, answer } = result;
    if (status === 404) {
      end('gone');
    } else if (!ok) {
      say(`${answer?.error ?? 'The vault does not answer as it should'}. Load this page again.`, true);
    } else if (answer.id === id && answer.state !== 'waiting') {
      // What this tab did before it was loaded again, it does not know any more.
      doubt = true;
      ended(answer.state);
    } else if (!(await genuine(answer))) {
      end('foreign');
    } else {
      about = answer;
      render();
      if (about.locked) say(`${LOCKED} enter the value here.`, true);
      $('value').focus();
      keepLooking();
    }
  }

  async function genuine(answer) {
    try {
      const hash = await entrySeal.sha256(entrySeal.fromBase64url(answer.publicKey));
      return answer.id === id && entrySeal.toBase64url(hash) === keys.hash;
    } catch {
      return false;
    }
  }

  $('form').addEventListener('submit', (event) => {
    event.preventDefault();
    alone(store);
  });
  $('refuse').addEventListener('click', () => alone(refuse));
  $('value').addEventListener('input', changed);
  $('file').addEventListener('change', () => {
    $('value').value = '';
    changed();
  });
  $('drop').addEventListener('click', () => {
    $('file').value = '';
    changed();
    $('value').focus();
  });
  $('show').addEventListener('change', shown);
  // The whole address opened once more in this tab: only the fragment changes, and the page is not loaded again.
  addEventListener('hashchange', () => {
    if (location.hash) location.reload();
  });
  // Leaving the page takes the value along; coming back asks how things stand.
  addEventListener('pagehide', clearValue);
  addEventListener('pageshow', (event) => {
    if (event.persisted && !over && about) look();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && !busy && !over && about) look();
  });
  clearValue();
  begin();
})();
