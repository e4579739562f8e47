// The one script of the workspace's pages: it sends the form of a question by itself
// while somebody works on it, and adds keys. Without it the same form has its buttons.
//
// What was not sent yet is in sessionStorage, which is this tab's and ends with it,
// and nowhere else. All words come from the server.

import "../../account/island/passkey.ts";

/** What the server says about a form that was sent; see type reply in save.go. */
interface Reply {
  rev?: number;
  state?: string;
  entry?: Record<string, string | boolean | undefined>;
  saved?: string;
  message?: string;
  detail?: string;
  unproven?: boolean;
  next?: string;
  progress?: { id: string; value: number; max: number; text: string }[];
  compare?: string;
}

/** How long after the last key a text is sent, and between two attempts, in milliseconds. */
const idle = 900;
const firstPause = 1000;
const longestPause = 15000;

/** The fields of an entry, by the name of their control. */
const fields = ["level", "reason", "target", "target_date", "evidence", "place", "note", "assignee", "flagged"];

/** place begins the names of what this tab keeps; whereabouts is the part of it that says where it was typed. */
const place = "muster:";
const whereabouts = "_at";

class Answer extends HTMLElement {
  private form!: HTMLFormElement;
  private timer = 0;
  private pause = firstPause;
  private dirty = false; // there is something that no request carries
  private running: Promise<void> | null = null; // the one request that is under way
  private blocked = false; // by a conflict or a refusal, until something changes
  private next = "";

  connectedCallback(): void {
    const form = this.querySelector("form");
    if (!form) return;
    this.form = form;
    this.restore();
    form.addEventListener("change", () => this.touch(0));
    form.addEventListener("input", (e) => isText(e.target) && this.touch(idle));
    form.addEventListener("focusout", (e) => isText(e.target) && this.dirty && this.touch(0));
    form.addEventListener("click", (e) => this.clicked(e));
    form.addEventListener("submit", (e) => this.submitted(e));
    this.addEventListener("keydown", (e) => this.key(e));
    addEventListener("online", () => this.dirty && !this.blocked && this.touch(0));
    addEventListener("pagehide", () => this.leave());
    if (location.hash === "#" + this.id || this.control("one")?.value === "1") this.begin();
  }

  /** begin puts the focus on the question once the browser has gone to it, which takes the focus away. */
  private begin(): void {
    const enter = () => document.activeElement === document.body && this.enter();
    if (document.readyState === "complete") enter();
    else addEventListener("load", () => setTimeout(enter));
  }

  /**
   * The place of what was not sent. It is of the workspace and the outcome, not of an
   * address: that is another one in each run and language.
   */
  private get key_(): string {
    return `${place}${this.closest<HTMLElement>("[data-tab]")?.dataset.tab ?? ""}:${this.dataset.of ?? ""}`;
  }

  /** hold keeps what is in the form in this tab until it is sent. */
  private hold(): void {
    const body = this.body();
    body.append(whereabouts, location.pathname.split("/survey/")[1] ?? "");
    try {
      sessionStorage.setItem(this.key_, body.toString());
    } catch {
      // No room, or not allowed: then it is sent without a copy.
    }
  }

  private control(name: string): HTMLInputElement | null {
    const found = this.form.elements.namedItem(name);
    return found instanceof RadioNodeList ? null : (found as HTMLInputElement | null);
  }

  private value(name: string): string {
    const found = this.form.elements.namedItem(name);
    if (found instanceof HTMLInputElement && found.type === "checkbox") return found.checked ? "1" : "";
    if (found instanceof HTMLInputElement && found.type === "radio") return found.checked ? found.value : "";
    return (found as RadioNodeList | HTMLInputElement | null)?.value ?? "";
  }

  private set(name: string, value: string): void {
    const found = this.form.elements.namedItem(name);
    if (found instanceof HTMLInputElement && found.type === "checkbox") found.checked = value !== "";
    else if (found instanceof RadioNodeList) {
      for (const radio of found) (radio as HTMLInputElement).checked = value !== "" && (radio as HTMLInputElement).value === value;
    } else if (found) (found as HTMLInputElement).value = value;
  }

  private body(): URLSearchParams {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (typeof value === "string") body.append(name, value);
    return body;
  }

  private say(text: string, state = ""): void {
    const status = this.querySelector<HTMLElement>("[data-status]");
    if (status) {
      status.textContent = text;
      status.dataset.state = state;
    }
  }

  /** touch notes that something changed, and sends it after a while. */
  private touch(after: number): void {
    this.dirty = true;
    this.blocked = false;
    this.hold();
    this.schedule(after);
  }

  private schedule(after: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.flush(), after);
  }

  /** flush sends what changed, one request after the other, until nothing is left. */
  private async flush(): Promise<void> {
    clearTimeout(this.timer);
    while (this.running) await this.running;
    if (!this.dirty || this.blocked) return;
    this.running = this.send(this.form.action).finally(() => (this.running = null));
    await this.running;
  }

  private async send(action: string): Promise<void> {
    const sent = this.body();
    this.dirty = false;
    let answer: Response, reply: Reply;
    try {
      answer = await fetch(action, { method: "POST", body: sent, headers: { Accept: "application/json" }, redirect: "error" });
      if (!answer.headers.get("Content-Type")?.startsWith("application/json")) {
        this.gone();
        return;
      }
      reply = (await answer.json()) as Reply;
    } catch {
      this.dirty = true;
      this.say(this.closest<HTMLElement>("[data-waiting]")?.dataset.waiting ?? "", "waiting");
      this.schedule(this.pause);
      this.pause = Math.min(2 * this.pause, longestPause);
      return;
    }
    this.pause = firstPause;
    if (answer.ok) this.kept(reply, sent);
    else this.refused(reply);
  }

  /** gone says that the program of this page has ended and another answers in its place. */
  private gone(): void {
    this.dirty = true;
    this.blocked = true;
    this.hold();
    this.say(this.closest<HTMLElement>("[data-gone]")?.dataset.gone ?? "", "refused");
  }

  /** kept takes over what the server keeps now, and leaves alone what changed since it was sent. */
  private kept(reply: Reply, sent: URLSearchParams): void {
    this.set("rev", String(reply.rev ?? 0));
    const entry = reply.entry ?? {};
    for (const name of fields) {
      const now = entry[name];
      if (this.value(name) === (sent.get(name) ?? "")) {
        const value = now === true ? "1" : now === undefined || now === false ? "" : String(now);
        if (value.trim() !== this.value(name).trim()) this.set(name, value);
      }
    }
    this.set("carried", entry.carried ? "1" : "");
    const state = reply.state ?? "open";
    for (const e of [this as HTMLElement, document.querySelector<HTMLElement>(`[data-index="${this.id.slice(2)}"]`)]) {
      e?.classList.remove("open", "carried", "done");
      e?.classList.add(state);
    }
    this.dataset.state = state;
    if (state !== "carried") this.querySelector(".unchanged")?.remove();
    this.toggle(".unproven", !reply.unproven);
    const saved = this.querySelector("[data-saved]");
    if (saved && reply.saved) saved.textContent = reply.saved;
    for (const p of reply.progress ?? []) {
      for (const bar of document.querySelectorAll<HTMLProgressElement>(`progress[data-progress="${p.id}"]`)) {
        bar.value = p.value;
        bar.parentElement?.classList.toggle("full", p.value === p.max);
      }
      for (const text of document.querySelectorAll(`[data-text="${p.id}"]`)) text.textContent = p.text;
    }
    this.next = reply.next ?? "";
    this.say(reply.message ?? "", "kept");
    if (!this.dirty) sessionStorage.removeItem(this.key_);
  }

  /** refused shows why something was not kept; it stays in the tab until it is. */
  private refused(reply: Reply): void {
    this.dirty = true;
    this.blocked = true;
    this.say([reply.message, reply.detail].filter(Boolean).join(": ") + " ", "refused");
    if (!reply.compare) return;
    const compare = document.createElement("button");
    compare.type = "button";
    compare.className = "plain little";
    compare.textContent = reply.compare;
    compare.addEventListener("click", () => {
      sessionStorage.removeItem(this.key_);
      this.form.submit(); // the page of the conflict
    });
    this.querySelector("[data-status]")?.append(compare);
  }

  private toggle(selector: string, hidden: boolean): void {
    const e = this.querySelector<HTMLElement>(selector);
    if (e) e.hidden = hidden;
  }

  /** restore puts back what was not sent when the page was left, and sends it. */
  private restore(): void {
    const kept = sessionStorage.getItem(this.key_);
    if (kept === null) return;
    const body = new URLSearchParams(kept);
    for (const name of [...fields, "rev", "carried"]) this.set(name, body.get(name) ?? "");
    this.dirty = true;
    this.schedule(0);
  }

  /**
   * leave sends what is left when the page goes; what does not arrive is restored. The
   * browser ends a request that is under way, so it is sent anew: to keep the same
   * twice changes nothing. What is more than a browser lets outlive its page (64 KiB)
   * is restored as well.
   */
  private leave(): void {
    if (this.blocked || !(this.dirty || this.running)) return;
    void fetch(this.form.action, { method: "POST", body: this.body(), headers: { Accept: "application/json" }, keepalive: true }).then(
      (answer) => answer.ok && sessionStorage.removeItem(this.key_),
      () => undefined,
    );
  }

  /** Who chooses the level that was carried over gives it. */
  private clicked(e: Event): void {
    const target = e.target;
    if (target instanceof HTMLInputElement && target.name === "level" && this.value("carried") === "1") {
      this.set("carried", "");
      this.touch(0);
    }
  }

  private submitted(e: SubmitEvent): void {
    const by = e.submitter as HTMLButtonElement | null;
    if (by?.name === "use" || by?.name === "holds") {
      sessionStorage.removeItem(this.key_);
      return; // the server knows the proposal; the page comes back with it
    }
    e.preventDefault();
    if (by?.hasAttribute("data-confirm")) void this.confirm();
    else if (by?.name === "go") void this.onward();
    else {
      this.touch(0);
    }
  }

  private async confirm(): Promise<void> {
    await this.flush();
    if (this.value("carried") === "1") {
      this.set("carried", "");
      this.dirty = true;
      this.hold();
    }
    await this.onward();
  }

  /** onward goes to the next question that waits, once this one is kept. */
  private async onward(): Promise<void> {
    const all = [...document.querySelectorAll<Answer>("muster-answer")];
    const at = all.indexOf(this);
    const next = all.slice(at + 1).find((a) => a.dataset.state !== "done");
    if (next) {
      void this.flush();
      next.enter();
      return;
    }
    // What was answered a moment ago is on its way: only when it is kept does the
    // server know which question waits.
    await Promise.all(all.map((a) => a.flush()));
    this.dirty = true; // where to go on is asked for even if nothing changed
    await this.flush();
    if (this.dirty || this.blocked || !this.next) return;
    const to = new URL(this.next, location.href);
    const here = to.pathname === location.pathname && to.search === location.search;
    if (here) (document.getElementById(to.hash.slice(1)) as Answer | null)?.enter(); // an id has a dot in it
    else location.assign(to);
  }

  /** enter puts the focus on the question. */
  enter(): void {
    const radios = this.querySelectorAll<HTMLInputElement>("input[name=level]");
    const chosen = [...radios].find((r) => r.checked) ?? radios[0];
    chosen?.focus({ preventScroll: true });
    this.scrollIntoView({ block: this.getBoundingClientRect().height < innerHeight ? "nearest" : "start" });
  }

  private key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing || isText(e.target)) return;
    if (e.target instanceof HTMLElement && !this.form.contains(e.target)) return;
    const level = /^[0-4]$/.test(e.key) ? e.key : ({ n: "na", w: "withheld" }[e.key] ?? "");
    if (level) {
      if (e.target instanceof HTMLSelectElement) return;
      e.preventDefault();
      this.set("level", level);
      this.set("carried", "");
      this.querySelector<HTMLInputElement>("input[name=level]:checked")?.focus({ preventScroll: true });
      this.touch(0);
    } else if (e.key === "t" && !(e.target instanceof HTMLSelectElement)) {
      e.preventDefault();
      (this.form.elements.namedItem("note") as HTMLTextAreaElement).focus();
    } else if (e.key === "Enter" && e.target instanceof HTMLInputElement) {
      e.preventDefault();
      void this.confirm();
    }
  }
}

/** isText reports whether somebody types into an element. */
function isText(e: EventTarget | null): boolean {
  return e instanceof HTMLTextAreaElement || (e instanceof HTMLInputElement && (e.type === "text" || e.type === "date"));
}

customElements.define("muster-answer", Answer);

/** Unsent lists on a home what was typed in this tab and did not arrive. */
class Unsent extends HTMLElement {
  connectedCallback(): void {
    const list = this.querySelector("ul");
    const mine = `${place}${this.dataset.tab ?? ""}:`;
    for (const key of Object.keys(sessionStorage).filter((k) => k.startsWith(mine)).sort()) {
      const of = key.slice(mine.length).split("/").pop() ?? ""; // an outcome, or OUTCOME@BODY
      const at = new URLSearchParams(sessionStorage.getItem(key) ?? "").get(whereabouts);
      if (!at || !list) continue;
      const link = document.createElement("a");
      link.textContent = of.replace("@", " · ");
      link.href = `${this.dataset.home ?? ""}survey/${at}#o-${of.replace("@", "-")}`;
      list.appendChild(document.createElement("li")).append(link);
      this.hidden = false;
    }
  }
}

customElements.define("muster-unsent", Unsent);

/** longest is how large a file may be of which a browser takes the digest at once, in bytes. */
const longest = 1 << 29;

/**
 * Digest takes the SHA-256 of a file that somebody chooses. The input of the file has no
 * name: nothing of it is ever sent.
 */
class Digest extends HTMLElement {
  connectedCallback(): void {
    const pick = this.querySelector<HTMLElement>(".pick");
    const file = this.querySelector<HTMLInputElement>("input[type=file]");
    const field = this.querySelector<HTMLInputElement>("input[name=sha256]");
    if (!pick || !file || !field || !globalThis.crypto?.subtle) return;
    pick.hidden = false;
    file.addEventListener("change", () => void this.take(file, field));
  }

  private async take(file: HTMLInputElement, field: HTMLInputElement): Promise<void> {
    const chosen = file.files?.[0];
    field.value = "";
    if (!chosen) return;
    this.say("working");
    try {
      if (chosen.size > longest) throw new RangeError("too large");
      const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer()));
      if (file.files?.[0] !== chosen) return; // another was chosen meanwhile
      field.value = [...sum].map((b) => b.toString(16).padStart(2, "0")).join("");
      this.say("done");
    } catch {
      this.say("failed");
    }
  }

  private say(what: "working" | "done" | "failed"): void {
    const status = this.querySelector<HTMLElement>("[data-digest]");
    if (status) status.textContent = this.dataset[what] ?? "";
  }
}

customElements.define("muster-digest", Digest);
