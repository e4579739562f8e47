// Looks at a member's workspace in a browser, as workspace_test.go says, and prints
// what it found: one line of JSON a check, {"name", "faults", "says"}.
//
//	node workspace.mjs MODULES CHROMIUM RELEASE FILLED FIRST SECOND READER
//
// RELEASE is the release of the year that is answered in the last workspace. The last
// four are addresses with a token: the demonstration, a first year with nothing
// answered, a second year in which everything looks unchanged, and the demonstration
// for somebody who only reads.

import { marked, opened, start } from "./common.mjs";

const [modules, executablePath, release, ...addresses] = process.argv.slice(2);
const tools = await start(modules, executablePath, () => false); // each check says whose pages it looks at
const { browser, audit, each } = tools;

// site goes through a door once and keeps the cookie for every other window.
async function site(address) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  const url = new URL(page.url());
  const state = await context.storageState();
  await context.close();
  return { base: url.origin + "/" + url.pathname.split("/")[1], state, left: url.search, address };
}
const [filled, first, second, reader] = await Promise.all(addresses.map(site));

// of returns the options of a check of a site: its cookie, and no request but to it.
const of = (where) => ({ storageState: where.state, own: (url) => url.startsWith(where.base + "/") });
const check = (name, where, options, look) => tools.check(name, { ...of(where), ...options }, look);

// Every page in every way.
const views = {
  home: "",
  overview: "survey/2026/muster-core/",
  area: "survey/2026/muster-core/area/A1",
  one: "survey/2026/muster-core/area/A1?one=A1.5",
  history: "survey/2026/muster-core/outcome/A1.1/history",
  bodies: "survey/2026/muster-core/bodies?area=A1&edit=A1.1&body=health",
  workbooks: "survey/2026/muster-core/bodies/workbooks",
  evidence: "survey/2026/muster-core/evidence",
  needs: "survey/2026/muster-core/needs?body=harbour",
  needsprint: "survey/2026/muster-core/needs/print?body=harbour",
  letters: "survey/2026/muster-core/letters",
  verification: "survey/2025/muster-core/verification",
  check: "survey/2026/muster-core/check",
  signoff: "survey/2026/muster-core/signoff",
  sheet: "survey/2026/muster-core/signoff/sheet",
  sealing: "survey/2026/muster-core/sealing",
  standing: "survey/2025/muster-core/standing",
  unreleased: "survey/2026/muster-core/standing",
  plan: "survey/2025/muster-core/plan",
  brief: "survey/2025/muster-core/brief",
  alone: "survey/2026/muster-core/brief",
  body: "survey/2025/muster-core/standing/body/health",
  missing: "survey/2026/nothing/",
};
for (const [name, path] of Object.entries(views)) {
  await each(name, {
    url: (lang) => `${filled.base}/${lang}/${path}`,
    options: { ...of(filled), ...(name === "missing" ? { expected: /404/ } : {}) },
    look: opened,
    always: marked,
  });
}

// Who only reads has the same pages without a form.
for (const name of ["area", "bodies", "verification", "plan", "needs", "signoff", "evidence"]) {
  await each(`reader ${name}`, {
    url: (lang) => `${reader.base}/${lang}/${views[name]}`,
    options: of(reader),
    look: async (page, must) => {
      must(await page.locator(".may").first().isVisible(), "it does not say that she only reads");
      must((await page.locator("main form[method=post]").count()) === 0, "there is a form");
      if (name === "area") must((await page.locator(".answered .chip").count()) > 2, "the answers are not in sight");
      await opened(page);
    },
  });
}

await check("the token is gone from the address, and good once", filled, { storageState: undefined, expected: /Failed to load resource/ }, async (page, must) => {
  must(filled.left === "", `the address still has ${filled.left}`);
  const answer = await page.goto(filled.address);
  must(answer.status() === 403, `a second use: ${answer.status()}`);
  must((await page.goto(filled.base + "/en/")).status() === 403, "who has no cookie reads the pages");
});

await check("nothing but sessionStorage", filled, {}, async (page, must, context) => {
  await page.goto(filled.base + "/en/survey/2026/muster-core/area/A3");
  await page.locator("#note-A3\\.1").fill("for the tab alone");
  const kept = await page.evaluate(async () => ({ local: localStorage.length, db: (await indexedDB.databases()).length, cookie: document.cookie, session: Object.entries(sessionStorage) }));
  must(kept.local === 0 && kept.db === 0, "something is kept beyond the tab");
  must(kept.cookie === "", `a script reads the cookie: ${kept.cookie}`);
  must(kept.session.length === 1 && kept.session[0][1].includes("for+the+tab+alone"), "what is not sent yet is not kept in the tab");
  await page.locator("#note-A3\\.1").blur();
  await page.locator("#o-A3\\.1 [data-status][data-state=kept]").waitFor();
  must((await page.evaluate(() => sessionStorage.length)) === 0, "what was sent is still kept in the tab");
  await page.reload();
  must((await page.inputValue("#note-A3\\.1")) === "for the tab alone", "the note was not saved");
});

await check("a dropped connection", filled, { expected: /Failed to load resource/ }, async (page, must, context) => {
  await page.goto(filled.base + "/en/survey/2026/muster-core/area/A3");
  await context.setOffline(true);
  await page.locator("#note-A3\\.2").fill("typed without a connection");
  await page.locator("#note-A3\\.2").blur();
  await page.locator("#o-A3\\.2 [data-status][data-state=waiting]").waitFor();
  must((await page.locator("#o-A3\\.2 [data-status]").innerText()).startsWith("Not sent yet"), "nobody is told that it was not sent");
  await context.setOffline(false);
  await page.locator("#o-A3\\.2 [data-status][data-state=kept]").waitFor();
  // The server is there for pages and not for saves: the page is loaded again in between.
  await page.route("**/outcome/**", (route) => route.abort());
  await page.locator("#note-A3\\.3").fill("typed before the page was loaded again");
  await page.locator("#note-A3\\.3").blur();
  await page.locator("#o-A3\\.3 [data-status][data-state=waiting]").waitFor();
  await page.unroute("**/outcome/**");
  await page.reload();
  await page.locator("#o-A3\\.3 [data-status][data-state=kept]").waitFor();
  await page.goto(filled.base + "/en/survey/2026/muster-core/area/A3");
  must((await page.inputValue("#note-A3\\.2")) === "typed without a connection", "the first edit is lost");
  must((await page.inputValue("#note-A3\\.3")) === "typed before the page was loaded again", "the second edit is lost");
});

await check("two windows, one answer", filled, { expected: /Failed to load resource/ }, async (page, must, context) => {
  const place = filled.base + "/en/survey/2026/muster-core/area/A4";
  await page.goto(place);
  const other = await context.newPage();
  await other.goto(place);
  await other.locator("#o-A4\\.1 input[value='4']").check();
  await other.locator("#o-A4\\.1 [data-state=kept]").waitFor();
  // Another field: both are kept, and nobody is asked.
  await page.locator("#note-A4\\.1").fill("beside the other");
  await page.locator("#note-A4\\.1").blur();
  await page.locator("#o-A4\\.1 [data-state=kept]").waitFor();
  must(await page.locator("#o-A4\\.1 input[value='4']").isChecked(), "the other's level is not taken over");
  await other.locator("#note-A4\\.1").fill("differently");
  await other.locator("#note-A4\\.1").blur();
  await other.locator("#o-A4\\.1 [data-state=refused]").waitFor();
  await other.getByRole("button", { name: "Compare" }).click();
  await other.locator("h1", { hasText: "Somebody was faster" }).waitFor();
  await audit(other, must);
  await other.getByLabel("Yours, not saved").check();
  await other.getByRole("button", { name: "Save my choice" }).click();
  await other.locator("#note-A4\\.1").waitFor();
  must((await other.inputValue("#note-A4\\.1")) === "differently", "the choice was not saved");
});

await check("a release is given without JavaScript", second, { javaScriptEnabled: false, expected: /Failed to load resource/ }, async (page, must) => {
  await page.goto(second.base + "/en/survey/2026/muster-core/standing");
  must((await page.locator("svg.stack").count()) === 0, "there are strips without a release");
  const give = async (file) => {
    await page.getByLabel("release.json").setInputFiles(file);
    await page.getByRole("button", { name: "Keep the release" }).click();
    await page.waitForLoadState("load");
  };
  await give({ name: "notes.json", mimeType: "application/json", buffer: Buffer.from("our notes") });
  must(await page.getByText("the file is no release").isVisible(), "what is no release is not refused in words");
  await page.locator("main").getByRole("link", { name: "After the release" }).click();
  await page.waitForLoadState("load");
  await give(release);
  const [strips, dots] = [await page.locator("svg.stack").count(), await page.locator("svg.stack circle").count()];
  must(strips > 30 && dots === strips, `${dots} dots on ${strips} strips`);
  return `${dots} dots on ${strips} strips`;
});

// The national brief, on paper: two pages of A4 in either language, the marking on
// both, nothing around them, and still for everybody; and its points, by a form.
for (const [lang, path] of [["en", "2025"], ["fr", "2025"], ["en", "2026"]]) {
  await check(`printed brief ${lang} ${path}`, filled, {}, async (page, must) => {
    await page.goto(`${filled.base}/${lang}/survey/${path}/muster-core/brief`);
    await page.emulateMedia({ media: "print" });
    must((await page.locator(".paper").count()) === 2, "there are not two pages");
    must(!(await page.locator(".mast").first().isVisible()) && !(await page.locator(".after").first().isVisible()), "more than the brief is printed");
    await audit(page, must);
    const file = (await page.pdf({ preferCSSPageSize: true, printBackground: true, tagged: true })).toString("latin1");
    const pages = Math.max(...[...file.matchAll(/\/Count (\d+)/g)].map((m) => Number(m[1])));
    must(pages === 2, `${pages} pages`);
    must(file.includes("/StructTreeRoot") && file.includes(`/Lang (${lang})`), "the print is not tagged");
    return `${pages} pages`;
  });
}
await check("speaking points without JavaScript", filled, { javaScriptEnabled: false }, async (page, must) => {
  await page.goto(filled.base + "/en/survey/2025/muster-core/brief");
  const first = page.getByLabel("Point 1");
  must((await first.inputValue()).includes("{targets.met}"), "the draft holds a number in place of its name");
  await first.fill("We reach {targets.met} of {targets}, and say so.");
  await page.getByLabel("May be said in public").first().check();
  await page.getByRole("button", { name: "Keep the points" }).click();
  await page.waitForLoadState("load");
  must(await page.locator(".points li", { hasText: /We reach \d+ of \d+, and say so\./ }).isVisible(), "the point is not on the page");
  must(await page.locator(".public li", { hasText: "our own choice" }).isVisible(), "what was chosen for the public is not in the box");
  await page.getByRole("button", { name: "Draft them anew" }).click();
  await page.waitForLoadState("load");
  must(!(await page.getByText("and say so").first().isVisible().catch(() => false)), "the draft is not back");
});

// Without a script everything is there, by forms.
await check("without JavaScript", filled, { javaScriptEnabled: false }, async (page, must) => {
  const go = async (place) => {
    await place.click();
    await page.waitForLoadState("load");
  };
  await page.goto(filled.base + "/en/survey/2026/muster-core/area/A8");
  await page.locator("#o-A8\\.6 input[name=level][value='1']").check();
  await page.locator("#note-A8\\.6").fill("by hand");
  await go(page.locator("#o-A8\\.6 button", { hasText: "Save A8.6" }));
  must(page.url().endsWith("#o-A8.6"), `led to ${page.url()}`);
  must(await page.locator("#o-A8\\.6 input[name=level][value='1']").isChecked(), "the level was not saved");
  const confirm = page.locator("#o-A8\\.1 button", { hasText: "It is unchanged" });
  if (await confirm.count()) {
    await go(confirm);
    must(!page.url().includes("A8.1"), "confirming does not go on");
  }
  await page.goto(filled.base + "/en/survey/2026/muster-core/area/A8?one=A8.6");
  await page.locator("#o-A8\\.6 details", { hasText: "comment" }).last().locator("summary").click();
  await page.locator("#comment-A8\\.6").fill("a word without a script");
  await go(page.getByRole("button", { name: "Send" }));
  must(await page.getByText("a word without a script").isVisible(), "the comment was not kept");
  await go(page.locator(".mast nav a", { hasText: "Before sealing" }));
  must((await page.locator(".noise svg").count()) === 3, "there is no picture of what a host sees");
});

// keys answers a whole survey and counts what is typed.
async function keys(page, must, base, cycle, answer, most) {
  let typed = 0;
  const press = async (key) => {
    typed++;
    await page.keyboard.press(key);
  };
  await page.goto(`${base}/en/survey/${cycle}/muster-core/`);
  await page.locator(".next a").click(); // from here on no mouse
  for (let i = 0; i < 36; i++) {
    const at = await page.waitForFunction((done) => {
      const q = document.activeElement?.closest("muster-answer");
      return q && !done.includes(q.id) ? q.id : null;
    }, seen, { timeout: 20000 });
    seen.push(await at.jsonValue());
    await answer(press, i);
  }
  await page.waitForURL(/\/check$/, { timeout: 20000 });
  must(typed <= most, `${typed} keys, want at most ${most}`);
  must(new Set(seen).size === 36, `${new Set(seen).size} questions were seen`);
  return `${typed} keys for 36 outcomes`;
}
let seen = [];
await check("a first year by at most two keys each", first, {}, async (page, must) => {
  seen = [];
  return keys(page, must, first.base, "2026", async (press, i) => {
    await press(i % 9 === 8 ? "w" : i === 3 ? "n" : String(i % 5)); // n: not applicable; its reason is typed later
    await press("Enter");
  }, 72);
});
await check("an unchanged second year by one key each", second, {}, async (page, must) => {
  seen = [];
  return keys(page, must, second.base, "2027", (press) => press("Enter"), 36);
});
await check("keys only while a question has the focus", filled, {}, async (page, must) => {
  await page.goto(filled.base + "/en/survey/2026/muster-core/area/A6");
  const levels = () => page.evaluate(() => [...document.querySelectorAll("input[name=level]:checked")].map((r) => r.value).join());
  const before = await levels();
  await page.keyboard.press("4");
  await page.keyboard.press("w");
  must((await levels()) === before, "a key answers without a focus");
  await page.locator("#note-A6\\.1").focus();
  await page.keyboard.type("4wn");
  must((await levels()) === before, "a key answers while somebody writes");
  must((await page.inputValue("#note-A6\\.1")).endsWith("4wn"), "what is written does not arrive");
  await page.locator("#o-A6\\.2 input[name=level]").first().focus();
  await page.keyboard.press("n");
  must(await page.locator("#o-A6\\.2 input[name=level][value=na]").isChecked(), "n is not the key of not applicable");
  await page.keyboard.press("t");
  must(await page.evaluate(() => document.activeElement.id === "note-A6.2"), "t does not go to the note");
});

await browser.close();
