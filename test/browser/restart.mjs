// Ends the program of a workspace under the hands of somebody who writes, starts it
// again on the same port, and looks whether what she wrote is there. Prints one line of
// JSON a check, {"name", "faults"}.
//
//	node restart.mjs MODULES CHROMIUM PROGRAM FOLDER PASSPHRASEFILE

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { report, start } from "./common.mjs";

const [modules, executablePath, program, folder, passphrase] = process.argv.slice(2);
let running; // the program, with its address
const own = (url) => url.startsWith(new URL(running.address).origin + "/");
const { browser, watch } = await start(modules, executablePath, own);

// serve starts the program and returns it with the address that it prints.
async function serve(listen) {
  const child = spawn(program, ["workspace", "serve", "--dir", folder, "--passphrase-file", passphrase, "--listen", listen], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const address = await new Promise((found, failed) => lines.once("line", found) && child.once("exit", (code) => failed(new Error(`the program ends with ${code}`))));
  return { child, address };
}

function end({ child }) {
  const over = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  return over;
}

const faults = [];
const must = (ok, fault) => ok || faults.push(fault);
running = await serve("127.0.0.1:0");
const port = new URL(running.address).host;
try {
  const page = await browser.newPage();
  watch(page, faults, { expected: /ERR_CONNECTION|403/ }); // of the program that is gone, and of its old address
  await page.goto(running.address);
  await page.goto(new URL(page.url()).href + "survey/2026/muster-core/area/A1");
  const old = page.url();
  const status = page.locator("#o-A1\\.2 [data-status]");

  await end(running);
  await page.locator("#o-A1\\.2 input[name=level][value='3']").check();
  await page.locator("#note-A1\\.2").fill("typed while nothing answered");
  await page.locator("#note-A1\\.2").blur();
  await page.locator("#o-A1\\.2 [data-status][data-state=waiting]").waitFor();

  running = await serve(port);
  await page.locator("#o-A1\\.2 [data-status][data-state=refused]").waitFor(); // by itself: it asks again
  must((await status.innerText()).includes("open the address"), `the old page does not say what to do: ${await status.innerText()}`);
  await page.locator("#note-A1\\.2").fill("typed while nothing answered, and after it");
  await page.locator("#note-A1\\.2").blur();

  await page.goto(running.address); // in this tab
  must(page.url() !== old && page.url().includes("/en/"), `led to ${page.url()}`);
  const unsent = page.locator("muster-unsent a");
  must((await unsent.count()) === 1 && (await unsent.innerText()) === "A1.2", "the home does not list what was not sent");
  await page.goto((await unsent.getAttribute("href")).replace("/en/", "/fr/").replace(/^/, new URL(page.url()).origin)); // another language, too
  await page.locator("#o-A1\\.2 [data-status][data-state=kept]").waitFor();
  must((await page.inputValue("#note-A1\\.2")) === "typed while nothing answered, and after it", "what was typed is lost");
  must((await page.evaluate(() => sessionStorage.length)) === 0, "what was sent is still kept in the tab");
  await page.reload();
  must((await page.inputValue("#note-A1\\.2")) === "typed while nothing answered, and after it", "what was typed was not saved");
  must(await page.locator("#o-A1\\.2 input[name=level][value='3']").isChecked(), "the level was not saved");
  must((await page.evaluate(() => localStorage.length)) === 0, "something outlives the tab");
} catch (e) {
  faults.push(String(e.message ?? e).split("\n").slice(0, 4).join(" "));
} finally {
  await end(running);
}
report("what was typed outlives the program", faults);

// A long note in another script: with keepalive on every save the browser refuses it.
running = await serve(port);
const long = [];
try {
  const page = await browser.newPage();
  watch(page, long);
  await page.goto(running.address);
  await page.goto(page.url() + "survey/2026/muster-core/area/A1");
  const note = "щит ".repeat(2857) + "щ"; // 20,001 bytes less what is trimmed
  const sent = note.slice(0, -2); // 19,998 bytes, and three times as much as a form sends
  await page.locator("#note-A1\\.3").fill(sent);
  await page.locator("#note-A1\\.3").blur();
  await page.locator("#o-A1\\.3 [data-status][data-state=kept]").waitFor();
  await page.reload();
  if ((await page.inputValue("#note-A1\\.3")) !== sent) long.push("the note was not saved");
} catch (e) {
  long.push(String(e.message ?? e).split("\n").slice(0, 4).join(" "));
} finally {
  await end(running);
  await browser.close();
}
report("a long note in Cyrillic", long);
