// Starts the live part once everything deferred is there, and keeps trying to come back when the connection is lost.
document.addEventListener('DOMContentLoaded', () => {
  if (complete()) Blazor.start({
    circuit: {
      reconnectionOptions: { maxRetries: 100000, retryIntervalMilliseconds: tries => (tries < 10 ? 500 : 2000) },
    },
  });
});

// A script that did not get through leaves a page that looks alive and whose dialogs never open: load it again, a few times.
function complete() {
  const tries = Number(sessionStorage.getItem('wm-reloads') ?? 0);
  if (window.wm || tries >= 5) {
    sessionStorage.removeItem('wm-reloads');
    return true;
  }
  console.warn('A script of this page did not load; trying again.');
  sessionStorage.setItem('wm-reloads', tries + 1);
  setTimeout(() => location.reload(), 300 * (tries + 1));
  return false;
}

// A portal that was restarted does not know this page: load it again by itself, unless something typed would be lost.
new MutationObserver(() => {
  const state = document.getElementById('components-reconnect-modal')?.classList;
  if (!state?.contains('components-reconnect-rejected')) return;
  const typed = [...document.querySelectorAll('form input:not([type=hidden]):not([type=radio]):not([type=checkbox]), form textarea')]
    .some(field => field.value !== field.defaultValue && field.value !== field.getAttribute('value'));
  if (!typed) location.reload();
}).observe(document.documentElement, { subtree: true, attributeFilter: ['class'] });
