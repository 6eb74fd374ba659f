// Starts the live part once everything deferred is there, and keeps trying to come back when the connection is lost.
document.addEventListener('DOMContentLoaded', () => Blazor.start({
  circuit: {
    reconnectionOptions: { maxRetries: 100000, retryIntervalMilliseconds: tries => (tries < 10 ? 500 : 2000) },
  },
}));

// A portal that was restarted does not know this page: load it again by itself, unless something typed would be lost.
new MutationObserver(() => {
  const state = document.getElementById('components-reconnect-modal')?.classList;
  if (!state?.contains('components-reconnect-rejected')) return;
  const typed = [...document.querySelectorAll('form input:not([type=hidden]):not([type=radio]):not([type=checkbox]), form textarea')]
    .some(field => field.value !== field.defaultValue && field.value !== field.getAttribute('value'));
  if (!typed) location.reload();
}).observe(document.documentElement, { subtree: true, attributeFilter: ['class'] });
