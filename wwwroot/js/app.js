// What pages ask of the browser, under one name: window.wm.
import { watchTimes } from './times.js';
import { watchTheme } from './theme.js';
import { watchDialogs } from './dialog.js';
import { watchMap } from './map.js';
import { mount, open, close, unmount, consoleOf } from './console.js';
import { addPasskey } from './passkeys.js';

window.wm = {
  mapWatch: watchMap,
  consoleMount: mount,
  consoleOpen: open,
  consoleClose: close,
  consoleUnmount: unmount,
  passkeyAdd: addPasskey,
  show: id => document.getElementById(id)?.scrollIntoView({ behavior: 'smooth' }),
};
window.wmConsole = consoleOf;

watchTimes();
watchTheme();
watchDialogs();

// Copy buttons, and menus that close when one looks elsewhere.
document.addEventListener('click', async event => {
  const copy = event.target.closest('[data-copy]');
  if (copy) {
    try { await navigator.clipboard.writeText(copy.dataset.copy); copy.classList.add('copied'); setTimeout(() => copy.classList.remove('copied'), 1500); }
    catch { getSelection().selectAllChildren(copy.parentElement.querySelector('code')); }
  }
  for (const menu of document.querySelectorAll('[data-menu][open]')) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') for (const menu of document.querySelectorAll('[data-menu][open]')) { menu.open = false; menu.querySelector('summary').focus(); }
  if (event.key === '/' && !event.ctrlKey && !event.metaKey && !event.target.closest?.('input, textarea, select, .console-screen')) {
    const search = document.querySelector('.search input');
    if (search) { event.preventDefault(); search.focus(); }
  }
});
