// A picture of a terminal: what `tmux capture-pane -e` gave, drawn by Chromium.
//
//     picture.mjs FILE COLUMNS TITLE PNG
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [file, columns, title, png] = process.argv.slice(2);
const require = createRequire(join(process.env.HQV_MODULES, 'playwright-core', 'package.json'));
const { chromium } = require('playwright-core');

const COLOURS = ['#2e3436', '#d0545b', '#5fae5f', '#c9a13b', '#5b8dd6', '#a679c2', '#4aa3a3', '#d5d9de'];
const BRIGHT = ['#6b7280', '#f07178', '#86d386', '#ffd866', '#82aaff', '#d3a4ee', '#7fd1cf', '#ffffff'];
const CUBE = [0, 95, 135, 175, 215, 255];

// One of the 256 colours.
function indexed(n) {
  if (n < 16) return (n < 8 ? COLOURS : BRIGHT)[n % 8];
  if (n >= 232) return `rgb(${Array(3).fill(8 + (n - 232) * 10)})`;
  const at = n - 16;
  return `rgb(${[CUBE[Math.floor(at / 36)], CUBE[Math.floor(at / 6) % 6], CUBE[at % 6]]})`;
}

// What an SGR sequence makes of a style.
function styled(style, codes) {
  const next = { ...style };
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === 0) for (const key of Object.keys(next)) delete next[key];
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 4 || code === 24) next.line = code === 4;
    else if (code === 7 || code === 27) next.swap = code === 7;
    else if (code >= 30 && code <= 37) next.front = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) next.front = BRIGHT[code - 90];
    else if (code >= 40 && code <= 47) next.back = COLOURS[code - 40];
    else if (code === 39) delete next.front;
    else if (code === 49) delete next.back;
    else if ((code === 38 || code === 48) && codes[at + 1] === 5) {
      next[code === 38 ? 'front' : 'back'] = indexed(codes[at + 2]);
      at += 2;
    }
  }
  return next;
}

// Two columns wide in a terminal; drawn, since few machines without a desktop have a font with it.
const TICK = '<i>\u2713</i>';

const escape = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

function span(style, text) {
  if (text === '') return '';
  const [front, back] = style.swap ? [style.back ?? '#16181d', style.front ?? '#e4e6eb'] : [style.front, style.back];
  const css = [front && `color:${front}`, back && `background:${back}`, style.bold && 'font-weight:bold'];
  css.push(style.dim && 'opacity:.65', style.line && 'text-decoration:underline');
  return `<span style="${css.filter(Boolean).join(';')}">${escape(text).replaceAll('\u2705', TICK)}</span>`;
}

let style = {};
const html = readFileSync(file, 'utf8').replace(/\s+$/, '').split('\n').map((line) => {
  let out = '';
  for (const part of line.split(/(\x1b\[[0-9;]*m|\x1b\([B0]|[\x0e\x0f])/)) {
    const sgr = /^\x1b\[([0-9;]*)m$/.exec(part);
    if (sgr) style = styled(style, sgr[1].split(';').map(Number));
    else if (!/^(\x1b\(|[\x0e\x0f])/.test(part)) out += span(style, part);
  }
  return out;
});

const page = `<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; background: #fff; }
  figure { display: inline-block; margin: 14px; border-radius: 8px; overflow: hidden; background: #16181d; color: #e4e6eb;
    box-shadow: 0 1px 6px #0006; }
  figcaption { padding: 7px 14px; background: #2a2d35; color: #a9afba; font: 12px "DejaVu Sans", sans-serif; }
  pre { margin: 0; padding: 12px 14px; width: ${columns}ch; font: 13px/15px "DejaVu Sans Mono", monospace; }
  i { display: inline-block; box-sizing: border-box; width: 2ch; height: 13px; border: solid #16181d; border-width: 0 1px;
    border-radius: 3px; background: #3f9a4d; color: #fff; font: bold 11px/13px "DejaVu Sans", sans-serif; text-align: center; }
</style><figure><figcaption>${escape(title)}</figcaption><pre>${html.join('\n')}</pre></figure>`;

const browser = await chromium.launch({ executablePath: process.env.HQV_CHROMIUM, headless: true });
const tab = await browser.newPage({ viewport: { width: 1100, height: 700 } });
await tab.setContent(page);
const box = await tab.locator('figure').boundingBox();
await tab.screenshot({ path: png, clip: { x: 0, y: 0, width: box.width + 28, height: box.height + 28 } });
await browser.close();
