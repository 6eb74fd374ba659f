// Light, dark or as the system: a cookie, so that the next page's first byte knows it.
const root = document.documentElement;

function show() {
  for (const button of document.querySelectorAll('[data-theme-choice]')) button.setAttribute('aria-pressed', String(button.dataset.themeChoice === root.dataset.theme));
}

export function watchTheme() {
  document.addEventListener('click', event => {
    const choice = event.target.closest?.('[data-theme-choice]')?.dataset.themeChoice;
    if (!choice) return;
    root.dataset.theme = choice;
    document.cookie = `wm-theme=${choice}; path=/; max-age=31536000; samesite=lax`;
    show();
  });
  new MutationObserver(changes => { if (changes.some(c => [...c.addedNodes].some(n => n.nodeType === 1 && n.querySelector?.('[data-theme-choice]')))) show(); })
    .observe(document.body, { childList: true, subtree: true });
  show();
}
