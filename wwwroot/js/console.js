// A guest's serial line in the page. window.wmConsole(instance).text() gives what it shows.
const lines = new WeakMap();
const byName = new Map();
const theme = { background: '#0f131a', foreground: '#d8dee9', cursor: '#9fb4ff', selectionBackground: '#3b4a6b' };

export const consoleOf = name => byName.get(name) ?? null;

export async function mount(screen, page, name) {
  const [{ Terminal }, { FitAddon }] = await Promise.all([import('/lib/xterm/xterm.mjs'), import('/lib/xterm/addon-fit.mjs'), styles()]);
  const terminal = new Terminal({
    theme, scrollback: 5000, convertEol: false, cursorBlink: false, screenReaderMode: true,
    fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: innerWidth < 600 ? 11 : 13,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(screen);
  const line = { screen, page, name, terminal, wanted: false, socket: null, tries: 0, timer: 0 };
  line.resized = new ResizeObserver(() => { if (screen.clientWidth) fit.fit(); });
  line.resized.observe(screen);
  terminal.onData(text => send(line, text));
  let escaped = false;   // Escape, then Tab: out of the terminal by keyboard
  terminal.attachCustomKeyEventHandler(event => {
    if (event.type !== 'keydown') return true;
    if (event.ctrlKey && event.shiftKey && event.code === 'KeyC') { navigator.clipboard?.writeText(terminal.getSelection()); event.preventDefault(); return false; }
    if (event.key === 'Tab' && escaped) { escaped = false; return false; }
    escaped = event.key === 'Escape';
    return true;
  });
  lines.set(screen, line);
  byName.set(name, { text: () => text(terminal), send: data => send(line, data), connected: () => line.socket?.readyState === WebSocket.OPEN });
}

export async function open(screen) {
  const line = lines.get(screen);
  if (!line) return;
  line.wanted = true;
  if (!line.socket) await connect(line);
}

export function close(screen) {
  const line = lines.get(screen);
  if (!line) return;
  line.wanted = false;
  clearTimeout(line.timer);
  line.socket?.close();
  line.socket = null;
}

export function unmount(screen) {
  const line = lines.get(screen);
  if (!line) return;
  line.page = null;
  close(screen);
  line.resized.disconnect();
  line.terminal.dispose();
  lines.delete(screen);
  byName.delete(line.name);
}

async function connect(line) {
  clearTimeout(line.timer);
  let ticket = null;
  try { ticket = await line.page?.invokeMethodAsync('Ticket'); } catch { /* the page's own connection is down: try again below */ }
  if (!line.wanted || !line.page || line.socket) return;
  if (!ticket) { again(line); return; }
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/console/${encodeURIComponent(line.name)}/serial?ticket=${encodeURIComponent(ticket)}`);
  socket.binaryType = 'arraybuffer';
  line.socket = socket;
  let fresh = true;
  socket.onmessage = event => {
    if (fresh) { fresh = false; line.tries = 0; line.terminal.reset(); }   // the line begins with what was said before
    line.terminal.write(typeof event.data === 'string' ? event.data : new Uint8Array(event.data));
  };
  socket.onopen = () => tell(line, true);
  socket.onclose = () => {
    if (line.socket === socket) line.socket = null;
    tell(line, false);
    if (line.wanted) again(line);
  };
}

function again(line) {
  if (!line.wanted || !line.page) return;
  clearTimeout(line.timer);
  line.timer = setTimeout(() => connect(line), Math.min(3000, 400 * 2 ** Math.min(line.tries++, 3)));
}

function tell(line, live) { line.page?.invokeMethodAsync('Linked', live).catch(() => { }); }

function send(line, data) {
  if (line.socket?.readyState === WebSocket.OPEN) line.socket.send(new TextEncoder().encode(data));
}

function text(terminal) {
  const buffer = terminal.buffer.active;
  const rows = [];
  for (let i = 0; i < buffer.length; i++) {
    const row = buffer.getLine(i);
    const words = row.translateToString(true);
    if (row.isWrapped && rows.length) rows[rows.length - 1] += words; else rows.push(words);
  }
  return rows.join('\n').trimEnd();
}

function styles() {
  if (document.querySelector('link[data-xterm]')) return Promise.resolve();
  return new Promise(done => {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/lib/xterm/xterm.css' });
    link.dataset.xterm = '';
    link.onload = link.onerror = done;
    document.head.append(link);
  });
}
