// Looks at a coordinator's pages in a browser, as coordinator_test.go says, and prints
// what it found: one line of JSON a check, {"name", "faults"}.
//
//	node coordinator.mjs MODULES CHROMIUM BASE CYCLE DIR
//
// Below BASE is a path for each person. A print goes to DIR.

import { opened, start } from "./common.mjs";

const [modules, executablePath, base, cycle, dir] = process.argv.slice(2);
const { browser, check, each } = await start(modules, executablePath, (url) => url.startsWith(base + "/"));

// Every page of the staff, and where others see something else.
const views = {
  overview: ["coordinator", ""],
  second: ["second", ""],
  officer: ["officer", ""],
  delegate: ["delegate", ""],
  auditor: ["auditor", ""],
  cycles: ["coordinator", "cycles"],
  board: ["coordinator", `cycle/${cycle}`],
  draft: ["second", "cycle/2028"],
  officerboard: ["officer", `cycle/${cycle}`],
  guestboard: ["delegate", `cycle/${cycle}`],
  questions: ["coordinator", `cycle/${cycle}/questions`],
  asked: ["officer", `cycle/${cycle}/questions`],
  people: ["second", "people"],
  record: ["auditor", "record?check=1"],
  missing: ["officer", "cycle/1999"],
};
for (const [name, [who, path]] of Object.entries(views)) {
  await each(name, { url: (lang) => `${base}/${who}/${lang}/${path}`, options: name === "missing" ? { expected: /404/ } : {}, look: opened });
}

await check("print", {}, async (page) => {
  await page.goto(`${base}/coordinator/en/cycle/${cycle}`);
  await page.pdf({ path: `${dir}/board.pdf`, format: "A4", tagged: true, displayHeaderFooter: false });
});

// An officer does what is hers by keys alone and without a script.
await check("without a script, by keys", { javaScriptEnabled: false }, async (page, must) => {
  await page.goto(`${base}/other/en/cycle/${cycle}/questions`);
  await page.locator("#text").focus();
  await page.keyboard.type("Asked in a browser?");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator(".qa").getByText("Asked in a browser?").waitFor();
  await page.goto(`${base}/other/en/cycle/${cycle}`);
  await page.locator("#say-status").selectOption("signed off");
  await page.getByRole("button", { name: "Say where it stands" }).press("Enter");
  await page.waitForURL(/#board$/);
  must(await page.locator("#row-vinterhavn").getByText("Signed off").isVisible(), "the status is not on the page");
});

await browser.close();
