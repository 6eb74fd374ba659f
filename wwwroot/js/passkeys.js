// Passkeys: the browser makes or uses a key (WebAuthn), the portal verifies it. On the login page this module runs by itself.
const able = () => window.PublicKeyCredential?.parseCreationOptionsFromJSON && navigator.credentials;

async function post(path, body) {
  const answer = await fetch(path, body === undefined ? { method: 'POST' } : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => null);
  throw Object.assign(new Error([problem?.title ?? 'The portal does not answer.', problem?.remedy].filter(Boolean).join(' ')), { field: problem?.field });
}

const options = async (path, body) => (await post(path, body)).json();

// Null when all went well, otherwise what to tell the person, and at which field.
export async function addPasskey(name, password, code) {
  if (!able()) return { text: 'This browser cannot make passkeys here. It needs HTTPS, or localhost.' };
  try {
    const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(await options('/account/passkeys/offer', { password, code })) });
    await post('/account/passkeys', { name, credential: JSON.stringify(made.toJSON()) });
    return null;
  } catch (problem) {
    if (problem.name === 'InvalidStateError') return { text: 'This device has a passkey for your account already.' };
    if (problem.name === 'NotAllowedError') return { text: 'No passkey was made: it was cancelled, or took too long.' };
    return { text: problem.name === 'SecurityError' ? 'Passkeys do not work at this address. Use the name of the portal, with HTTPS or localhost.' : problem.message, field: problem.field };
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
