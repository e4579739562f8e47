// A button that needs a passkey: it asks the server what is to be signed, the browser
// for the passkey, and gives the answer back. All words come from the server, but those
// of the browser itself.

/** What the server says; see type reply in guard.go. */
interface Reply {
  flow?: string;
  options?: Options;
  next?: string;
  message?: string;
  detail?: string;
}

/** WebAuthn's options as JSON: bytes are in base64url. */
interface Options {
  challenge: string;
  user?: { id: string };
  excludeCredentials?: { id: string }[];
  allowCredentials?: { id: string }[];
}

function bytes(text: string): ArrayBuffer {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0)).buffer;
}

function text(buffer: ArrayBuffer | null): string | undefined {
  if (!buffer) return undefined;
  let raw = "";
  for (const b of new Uint8Array(buffer)) raw += String.fromCharCode(b);
  return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** withBytes returns options with bytes where the browser wants them. */
function withBytes(o: Options): unknown {
  const ids = (all?: { id: string }[]) => all?.map((c) => ({ ...c, id: bytes(c.id) }));
  return {
    ...o,
    challenge: bytes(o.challenge),
    ...(o.user && { user: { ...o.user, id: bytes(o.user.id) } }),
    ...(o.excludeCredentials && { excludeCredentials: ids(o.excludeCredentials) }),
    ...(o.allowCredentials && { allowCredentials: ids(o.allowCredentials) }),
  };
}

/** asJSON writes what the browser gave as the server reads it. */
function asJSON(c: PublicKeyCredential): string {
  const r = c.response;
  const common = {
    id: c.id,
    rawId: text(c.rawId),
    type: c.type,
    authenticatorAttachment: c.authenticatorAttachment ?? undefined,
    clientExtensionResults: c.getClientExtensionResults(),
  };
  if (r instanceof AuthenticatorAttestationResponse) {
    const response = { clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), transports: r.getTransports?.() };
    return JSON.stringify({ ...common, response });
  }
  const a = r as AuthenticatorAssertionResponse;
  const response = { clientDataJSON: text(a.clientDataJSON), authenticatorData: text(a.authenticatorData), signature: text(a.signature), userHandle: text(a.userHandle) };
  return JSON.stringify({ ...common, response });
}

class Passkey extends HTMLElement {
  connectedCallback(): void {
    this.querySelector("form")?.addEventListener("submit", (e) => {
      e.preventDefault();
      void this.run(e.target as HTMLFormElement, e.submitter as HTMLButtonElement | null);
    });
  }

  private say(words: string, state: string): void {
    const status = this.querySelector<HTMLElement>("[data-status]");
    if (status) {
      status.textContent = words;
      status.dataset.state = state;
    }
  }

  private async post(to: string, body: URLSearchParams): Promise<Reply | null> {
    let answer: Response, reply: Reply;
    try {
      answer = await fetch(to, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" });
      reply = (await answer.json()) as Reply;
    } catch {
      this.say(this.dataset.lost ?? "", "refused");
      return null;
    }
    if (answer.ok) return reply;
    this.say([reply.message, reply.detail].filter(Boolean).join(": "), "refused");
    return null;
  }

  private async run(form: HTMLFormElement, by: HTMLButtonElement | null): Promise<void> {
    if (!window.PublicKeyCredential) {
      this.say(this.dataset.unsupported ?? "", "refused");
      return;
    }
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form, by)) if (typeof value === "string") body.append(name, value);
    const buttons = form.querySelectorAll("button");
    buttons.forEach((b) => (b.disabled = true));
    this.say("", "");
    try {
      const begun = await this.post(this.dataset.begin ?? "", body);
      if (!begun?.options || !begun.flow) return;
      const publicKey = withBytes(begun.options);
      let given: Credential | null;
      try {
        given = await (this.dataset.kind === "create"
          ? navigator.credentials.create({ publicKey: publicKey as PublicKeyCredentialCreationOptions })
          : navigator.credentials.get({ publicKey: publicKey as PublicKeyCredentialRequestOptions }));
      } catch {
        given = null; // it was cancelled, or there is none: the browser has said so
      }
      if (!given) {
        this.say(this.dataset.refused ?? "", "refused");
        return;
      }
      body.set("flow", begun.flow);
      body.set("response", asJSON(given as PublicKeyCredential));
      const done = await this.post(this.dataset.finish ?? "", body);
      if (done) location.assign(done.next ?? location.href);
    } finally {
      buttons.forEach((b) => (b.disabled = false));
    }
  }
}

customElements.define("muster-passkey", Passkey);
