// Looks at a workspace that several share in a browser, as team_test.go says, and
// prints what it found: one line of JSON a check, {"name", "faults"}.
//
//	node team.mjs MODULES CHROMIUM ORIGIN SPKI APPROVER CONTRIBUTOR
//
// SPKI is the digest of the server's key, which the browser takes for good. The last
// two are tokens of invitations.

import { fits, report, start } from "./common.mjs";

const [modules, executablePath, origin, spki, approver, contributor] = process.argv.slice(2);
const { browser, watch, audit } = await start(modules, executablePath, (url) => url.startsWith(origin + "/"), { timeout: 60000, args: ["--ignore-certificate-errors-spki-list=" + spki] });

// check runs one check in a window of a person's.
async function check(name, context, look, failing = false) {
  const faults = [];
  const page = await context.newPage();
  watch(page, faults, { expected: failing ? /Failed to load resource/ : undefined });
  try {
    await look(page, (ok, fault) => ok || faults.push(fault));
  } catch (e) {
    faults.push(String(e.message ?? e).split("\n").slice(0, 4).join(" ") + " at " + page.url());
  } finally {
    await page.close();
  }
  report(name, faults);
}

// device gives a page a passkey device with a person in front of it.
async function device(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}

async function looked(page, must, where) {
  const here = (ok, fault) => must(ok, `${where}: ${fault}`);
  await audit(page, here);
  await fits(page, here);
}

async function join(page, token, must) {
  await page.goto(`${origin}/account/en/join?invitation=${token}`);
  must(!page.url().includes(token), "the token stays in the address");
  await looked(page, must, "joining");
  await page.getByRole("button", { name: "Register a passkey" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/account/"));
}

// Nobody is shown anything.
const stranger = await browser.newContext();
await check("stranger", stranger, async (page, must) => {
  for (const lang of ["en", "fr"]) {
    await page.goto(`${origin}/${lang}/survey/2026/muster-core/`);
    must(page.url().startsWith(`${origin}/account/`), `nobody is led to ${page.url()}`);
    await page.goto(`${origin}/account/${lang}/sign-in`);
    await looked(page, must, `sign-in in ${lang}`);
  }
});

// Join, sign out, sign in, approve.
const mira = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await check("approver", mira, async (page, must) => {
  await device(page);
  await join(page, approver, must);
  must(page.url().endsWith("/signoff"), `the approver begins at ${page.url()}`);
  await page.goto(`${origin}/account/en/you`);
  await looked(page, must, "her ways in");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL("**/account/en/sign-in");
  await page.goto(`${origin}/en/survey/2026/muster-core/signoff`);
  must(page.url().includes("/account/"), "she is still in after signing out");
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.waitForURL("**/signoff");
  await looked(page, must, "the sign-off");
  await page.getByRole("button", { name: "Approve with a passkey" }).click();
  await page.getByText("with the passkey “my computer” of localhost").first().waitFor();
  await looked(page, must, "the sign-off, approved");
});

// A contributor answers by a key.
const ines = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await check("contributor", ines, async (page, must) => {
  await device(page);
  await join(page, contributor, must);
  await looked(page, must, "her home");
  await page.goto(`${origin}/en/survey/2026/muster-core/part`);
  await looked(page, must, "her part");
  await page.goto(`${origin}/en/survey/2026/muster-core/part/area/A1`);
  await looked(page, must, "her questions");
  const first = page.locator("muster-answer").first();
  await first.locator("input[name=level]").first().focus();
  await page.keyboard.press("3");
  await first.locator("[data-status][data-state=kept]").waitFor();
  await page.reload();
  must(await first.locator("input[name=level][value='3']").isChecked(), "what a key gave is not there after loading again");
  await page.goto(`${origin}/fr/survey/2026/muster-core/part/standing`);
  await looked(page, must, "beside the coalition");
});
await check("contributor refused", ines, async (page, must) => {
  const answer = await page.goto(`${origin}/en/survey/2026/muster-core/`);
  must(answer.status() === 403, `the member's answers: ${answer.status()}`);
  await looked(page, must, "the refusal");
}, true);

// And without JavaScript.
const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await ines.storageState(), viewport: { width: 390, height: 844 } });
await check("contributor without JavaScript", plain, async (page, must) => {
  await page.goto(`${origin}/en/survey/2026/muster-core/part/area/A1`);
  const second = page.locator("muster-answer").nth(1);
  await second.locator("input[name=level][value='2']").check();
  await second.getByRole("button", { name: /^Save A1/ }).click();
  await page.waitForLoadState();
  must(await page.locator("muster-answer").nth(1).locator("input[name=level][value='2']").isChecked(), "the form kept nothing");
});
await browser.close();
