// SPDX-License-Identifier: Apache-2.0
// Passkeys on the built-in pages: forms with data-passkey are sent with an authenticator's answer.
(() => {
  'use strict';
  const RENEW_MS = 10 * 60 * 1000; // a challenge is valid for 15 minutes

  const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (character) => character.charCodeAt(0));
  const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const credentials = (list = []) => list.map((each) => ({ ...each, id: decode(each.id) }));

  async function fetchOptions(form) {
    const answer = await fetch(form.dataset.options);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { options } = await answer.json();
    return { ...options, challenge: decode(options.challenge) };
  }

  // Members that Web Authentication Level 3 has as JSON; not all browsers make it themselves.
  function toJson({ id, rawId, type, response, authenticatorAttachment }) {
    const members = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
    const encoded = members.filter((name) => response[name]).map((name) => [name, encode(response[name])]);
    return { id, rawId: encode(rawId), type, authenticatorAttachment,
      response: { ...Object.fromEntries(encoded), transports: response.getTransports?.() } };
  }

  async function create(options, signal) {
    const user = { ...options.user, id: new TextEncoder().encode(options.user.id) };
    return navigator.credentials.create({ signal, publicKey: { ...options, user, excludeCredentials: credentials(options.excludeCredentials) } });
  }

  async function get(options, signal, mediation) {
    return navigator.credentials.get({ signal, mediation, publicKey: { ...options, allowCredentials: credentials(options.allowCredentials) } });
  }

  let running = new AbortController(); // a browser runs one ceremony at a time

  async function run(form, mediation) {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    const options = await fetchOptions(form);
    const isNew = form.dataset.passkey === 'register';
    const credential = await (isNew ? create(options, signal) : get(options, signal, mediation));
    form.elements.data.value = JSON.stringify(toJson(credential));
    form.submit();
  }

  function say(form, error) {
    const { canceled, known, failed } = form.dataset;
    const text = { NotAllowedError: canceled, InvalidStateError: known }[error.name] || failed;
    const alert = form.querySelector('[role=alert]');
    alert.hidden = !text || error.name === 'AbortError';
    alert.textContent = text;
  }

  async function start(form) {
    try {
      await run(form, 'optional');
    } catch (error) {
      say(form, error);
      if (form.dataset.offered) offer(form);
    }
  }

  // Passkeys among the suggestions of a field. Nothing is said: the user asked for nothing yet.
  async function offer(form) {
    const renewal = setTimeout(() => offer(form), RENEW_MS);
    try {
      await run(form, 'conditional');
    } catch {
      clearTimeout(renewal);
    }
  }

  async function canOffer() {
    return document.querySelector('input[autocomplete~=webauthn]') && await PublicKeyCredential.isConditionalMediationAvailable?.();
  }

  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      start(form);
    });
  }
  const first = document.querySelector('form[data-passkey=authenticate]');
  if (first) {
    canOffer().then((can) => {
      first.dataset.offered = can ? 'true' : '';
      if (can) offer(first);
    });
  }
})();
