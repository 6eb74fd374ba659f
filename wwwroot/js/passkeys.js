// Passkeys: the browser makes or uses a key (WebAuthn), the portal verifies it. On the login page this module runs by itself.
const able = () => window.PublicKeyCredential?.parseCreationOptionsFromJSON && navigator.credentials;

async function options(path) {
  const answer = await fetch(path, { method: 'POST' });
  if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.title ?? 'The portal does not answer.');
  return answer.json();
}

// Null when all went well, otherwise what to tell the person.
export async function addPasskey(name) {
  if (!able()) return 'This browser cannot make passkeys here. It needs HTTPS, or localhost.';
  try {
    const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(await options('/account/passkeys/offer')) });
    const answer = await fetch('/account/passkeys', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, credential: JSON.stringify(made.toJSON()) }),
    });
    return answer.ok ? null : (await answer.json().catch(() => null))?.title ?? 'The portal did not take this passkey.';
  } catch (problem) {
    if (problem.name === 'InvalidStateError') return 'This device has a passkey for your account already.';
    if (problem.name === 'NotAllowedError') return 'No passkey was made: it was cancelled, or took too long.';
    return problem.name === 'SecurityError' ? 'Passkeys do not work at this address. Use the name of the portal, with HTTPS or localhost.' : problem.message;
  }
}

for (const form of document.querySelectorAll('[data-passkey-login]')) {
  if (!able()) continue;
  form.hidden = false;
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const [button, problem] = [form.querySelector('button'), form.querySelector('[data-passkey-error]')];
    button.disabled = true;
    problem.hidden = true;
    try {
      const used = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(await options('/account/passkey/ask')) });
      form.elements.credential.value = JSON.stringify(used.toJSON());
      form.submit();
    } catch {
      problem.hidden = false;
      button.disabled = false;
    }
  });
}
