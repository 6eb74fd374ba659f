// Times in the visitor's own zone and words. The text node is changed in place, because the live page keeps it.
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

function write(time) {
  const at = new Date(time.dateTime);
  if (isNaN(at)) return;
  const age = (Date.now() - at) / 1000;
  const text = time.dataset.when === 'clock' ? clock.format(at)
    : time.dataset.when === 'since' ? span(age)
    : age < 5 ? 'just now' : age < 60 ? `${Math.floor(age)} s ago` : age < 3600 ? `${Math.floor(age / 60)} min ago`
    : age < 86400 ? `${Math.floor(age / 3600)} h ago` : age < 86400 * 30 ? `${Math.floor(age / 86400)} d ago` : day.format(at);
  if (time.firstChild?.nodeValue !== text && time.firstChild) time.firstChild.nodeValue = text;
  const exact = full.format(at);
  if (time.title !== exact) time.title = exact;
}

const all = root => root.querySelectorAll('time[data-when]').forEach(write);

export function watchTimes() {
  new MutationObserver(changes => {
    for (const change of changes) {
      if (change.type === 'attributes') write(change.target);
      for (const node of change.addedNodes) if (node.nodeType === 1) { if (node.matches('time[data-when]')) write(node); else all(node); }
    }
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ['datetime'] });
  all(document);
  setInterval(() => { if (!document.hidden) all(document); }, 1000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) all(document); });
}
