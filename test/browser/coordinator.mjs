// Looks at a coordinator's pages in a browser, as coordinator_test.go says, and prints
// what it found: one line of JSON a check, {"name", "faults"}.
//
//	node coordinator.mjs MODULES CHROMIUM BASE CYCLE DIR
//
// Below BASE is a path for each person. A print goes to DIR.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, executablePath, base, cycle, dir] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function check(name, options, look) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const faults = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(30000);
    page.on("console", (m) => options.failing || faults.push(`the browser says: ${m.text()}`));
    page.on("pageerror", (e) => faults.push(`the page breaks: ${e}`));
    page.on("request", (r) => r.url().startsWith(base + "/") || faults.push(`asks for ${r.url()}`));
    await look(page, (ok, fault) => ok || faults.push(fault));
  } catch (e) {
    faults.push(String(e.message ?? e).split("\n").slice(0, 4).join(" "));
  } finally {
    await context.close();
  }
  console.log(JSON.stringify({ name, faults }));
}

async function audit(page, must) {
  const found = await page.evaluate(`${axe}; axe.run(document, {runOnly: {type: "tag", values: ${JSON.stringify(tags)}}})`);
  must(found.passes.length > 10, `axe looked at ${found.passes.length} rules only`);
  for (const v of found.violations) must(false, `axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
}

async function fits(page, must) {
  const seen = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  must(seen[0] <= seen[1], `the page is ${seen[0]} wide in a window of ${seen[1]}`);
}

// Every page of the staff, and where others see something else, by axe, narrow and wide,
// light and dark, in both languages; the narrowest window is 320 wide.
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
  for (const [lang, width, colorScheme] of [["en", 1440, "dark"], ["fr", 390, "light"], ["en", 320, "light"]]) {
    await check(`${name} ${lang} ${width} ${colorScheme}`, { viewport: { width, height: 900 }, colorScheme, failing: name === "missing" }, async (page, must) => {
      await page.goto(`${base}/${who}/${lang}/${path}`);
      must((await page.getAttribute("html", "lang")) === lang, "the page does not say its language");
      await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
      await fits(page, must);
      if (width !== 320) await audit(page, must);
    });
  }
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
