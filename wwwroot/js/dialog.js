// Dialogs open as soon as they come into the page, without asking the server again, and give the focus back when they go.
const all = document.getElementsByTagName('dialog');
const openers = new Map();

function look() {
  for (const [dialog, opener] of openers) {
    if (dialog.isConnected) continue;
    openers.delete(dialog);
    if (opener?.isConnected) opener.focus();
  }
  for (const dialog of all) {
    if (dialog.open || !dialog.classList.contains('dialog')) continue;
    if (!openers.has(dialog)) openers.set(dialog, document.activeElement);
    dialog.showModal();
    dialog.querySelector('input, .dialog-buttons button')?.focus();
  }
}

export function watchDialogs() {
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
}
