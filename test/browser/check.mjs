// Looks at the pages in a browser, as browser_test.go says, and prints what it
// found: one line of JSON a check, {"name", "faults"}. Everything is a check of
// its own, so that one fault does not hide the others.
//
//	node check.mjs MODULES CHROMIUM BASE FILE OUT
//
// MODULES is the folder that holds node_modules, BASE the storybook's world, FILE
// the picture in one file, OUT a folder for prints.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, executablePath, base, file, out] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const views = {
  year: "allies/2026/",
  outcomes: "allies/2026/pack/muster-core/",
  "outcomes-open": "allies/2026/pack/muster-core/?area=A1&sort=help&tables=open",
  outcome: "allies/2026/pack/muster-core/A1.2",
  itself: "allies/2026/itself/muster-collective/",
  method: "allies/2026/method",
  check: "allies/2026/check",
  partners: "partners/2026/",
  missing: "allies/2026/nothing",
};

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

function report(name, faults) {
  console.log(JSON.stringify({ name, faults }));
}

// check runs one check in a window of its own. What the page logs, and what it
// asks of anybody but its own server, is a fault.
async function check(name, options, look) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const faults = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(30000);
    page.on("console", (m) => {
      if (!(options.missing && /404/.test(m.text()))) faults.push(`the browser says: ${m.text()}`);
    });
    page.on("pageerror", (e) => faults.push(`the page breaks: ${e}`));
    page.on("request", (r) => {
      const url = r.url();
      if (!url.startsWith(new URL(base).origin + "/") && !url.startsWith("data:") && !url.startsWith("file:")) faults.push(`asks for ${url}`);
    });
    await look(page, (ok, fault) => ok || faults.push(fault), context);
  } catch (e) {
    faults.push(String(e.message ?? e).split("\n").slice(0, 4).join(" "));
  } finally {
    await context.close();
  }
  report(name, faults);
}

// audit runs axe over what is in sight, but for the rules that are off.
async function audit(page, must, ...off) {
  const rules = Object.fromEntries(off.map((id) => [id, { enabled: false }]));
  const found = await page.evaluate(`${axe}; axe.run(document, {runOnly: {type: "tag", values: ${JSON.stringify(tags)}}, rules: ${JSON.stringify(rules)}})`);
  must(found.passes.length > 10, `axe looked at ${found.passes.length} rules only`);
  for (const v of found.violations) {
    must(false, `axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
  }
}

// fits holds that nothing reaches beyond the window, and that pictures are drawn.
async function fits(page, must) {
  const seen = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (e) => e && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    const beyond = [...document.querySelectorAll("main *, header *, footer *")]
      .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > width + 1 && !scrolls(e) && !e.closest(".away"))
      .map((e) => e.tagName + "." + (e.getAttribute("class") ?? ""));
    const flat = [...document.querySelectorAll("svg.stack > svg > rect:first-child, svg.bar > rect")]
      .filter((e) => e.closest("svg[role=img]").getClientRects().length && (e.getBoundingClientRect().width < 0.5 || e.getBoundingClientRect().height < 4)).length;
    // A count or a label may not reach beyond its part by more than its edge.
    const spilt = [...document.querySelectorAll("svg.stack text")]
      .filter((e) => e.getClientRects().length && e.getBoundingClientRect().width > e.parentElement.querySelector("rect").getBoundingClientRect().width + 6)
      .map((e) => e.textContent);
    return { width, total: document.documentElement.scrollWidth, beyond: beyond.slice(0, 5), flat, spilt: spilt.slice(0, 5) };
  });
  must(seen.total <= seen.width, `the page is ${seen.total} wide in a window of ${seen.width}`);
  must(seen.beyond.length === 0, `beyond the window: ${seen.beyond.join(", ")}`);
  must(seen.flat === 0, `${seen.flat} parts of pictures have no size`);
  must(seen.spilt.length === 0, `texts wider than their part: ${seen.spilt.join(", ")}`);
}

// What is cheap to look at is looked at in every way; the two large pages once in
// each language, width and theme.
const audits = [];
for (const view of ["year", "outcomes-open", "outcome", "itself", "method", "check", "missing"]) {
  for (const lang of ["en", "fr"]) for (const width of [390, 1440]) audits.push({ view, lang, width, colorScheme: "light" });
  audits.push({ view, lang: "en", width: 1440, colorScheme: "dark" });
}
audits.push({ view: "outcomes", lang: "en", width: 1440, colorScheme: "light" }, { view: "outcomes", lang: "fr", width: 390, colorScheme: "dark" });
audits.push({ view: "partners", lang: "fr", width: 1440, colorScheme: "light" });

for (const { view, lang, width, colorScheme } of audits) {
  await check(`axe ${view} ${lang} ${width} ${colorScheme}`, { viewport: { width, height: 900 }, colorScheme, missing: view === "missing" }, async (page, must) => {
    await page.goto(`${base}/${lang}/${views[view]}`);
    must((await page.getAttribute("html", "lang")) === lang, "the page does not say its language");
    must(await page.locator(".marking").first().isVisible(), "the marking is not in sight");
    const light = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) === "rgb(250, 249, 245)";
    must(light === (colorScheme === "light"), `the page is ${light ? "light" : "dark"}`);
    await fits(page, must);
    await audit(page, must);
  });
}

for (const [view, path] of Object.entries(views)) {
  for (const width of [320, 768, 1024, 1920]) {
    await check(`fits ${view} ${width}`, { viewport: { width, height: 900 }, missing: view === "missing" }, async (page, must) => {
      await page.goto(`${base}/fr/${path}`);
      await fits(page, must);
    });
  }
}

// Everything that a reader can do, without JavaScript.
await check("without JavaScript", { javaScriptEnabled: false, acceptDownloads: true }, async (page, must) => {
  // go follows a link or sends a form, and waits for the page that comes.
  const go = async (place) => {
    await place.click();
    await page.waitForLoadState("load");
  };
  await page.goto(base + "/");
  await go(page.locator("nav a", { hasText: "Core resilience" }));
  const all = await page.locator("article.outcome").count();
  must(all === 36, `${all} outcomes, want 36`);
  await page.selectOption("#f-area", "A2");
  await page.selectOption("#f-sort", "target");
  await page.check("#f-tables");
  await go(page.getByRole("button", { name: "Apply" }));
  const url = new URL(page.url());
  must(url.searchParams.get("area") === "A2" && url.searchParams.get("sort") === "target", `the choice is not in the address ${url.search}`);
  const some = await page.locator("article.outcome").count();
  must(some > 0 && some < all, `${some} of ${all} outcomes after choosing`);
  must((await page.locator("article.outcome table.data").first().isVisible()), "no data table is open");
  await go(page.getByRole("link", { name: "Français" }));
  must((await page.getAttribute("html", "lang")) === "fr", "the language did not change");
  must((await page.locator("article.outcome").count()) === some, "the choice was lost with the language");
  must((await page.inputValue("#f-area")) === "A2", "the form forgot the area");
  const first = page.locator("article.outcome h3 a").first();
  const name = (await first.innerText()).trim();
  await go(first);
  must((await page.locator("h1").innerText()).replace(/\s+/g, " ").includes(name.replace(/\s+/g, " ").split(" ").slice(1).join(" ")), `the page of ${name} is another`);
  must(await page.locator(".tables table.data").first().isVisible(), "an outcome has no data table");
  await page.locator("details summary").first().click();
  must((await page.locator("details[open]").count()) === 1, "a data table does not open");
  const download = page.waitForEvent("download");
  await page.locator(".downloads a").first().click();
  must((await (await download).suggestedFilename()).startsWith("SYNTHETIC-"), "a download does not carry the marking");
  await go(page.locator(".turn .next a"));
  must((await page.locator(".turn .prev a").count()) === 1, "no way back to the outcome before");
  await go(page.getByRole("link", { name: "2025", exact: true }));
  must(page.url().includes("/2025/"), "the cycle did not change");
  await go(page.locator(".mast").getByRole("link", { name: "Partenaires" }));
  must(page.url().includes("/partners/2025/"), "the group did not change");
  await go(page.locator(".brand a"));
  must((await page.locator("h1").innerText()).includes("partenaires sur"), "the brand does not lead to the year");
});

// A reader without a mouse sees where she is and gets everywhere.
await check("keyboard", {}, async (page, must) => {
  await page.goto(base + "/en/allies/2026/pack/muster-core/");
  await page.keyboard.press("Tab");
  must(await page.locator(".skip").isVisible(), "the first stop is not the way to the content");
  const box = await page.locator(".skip").boundingBox();
  must(box && box.y >= 0, "the way to the content is out of sight");
  await page.keyboard.press("Enter");
  must(await page.evaluate(() => document.activeElement.id === "main"), "the way to the content leads elsewhere");
  const stops = [];
  for (let i = 0; i < 14; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
      return { name: e.tagName + "#" + e.id, outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, seen: box.bottom > 0 && box.top < innerHeight };
    });
    stops.push(stop.name);
    must(stop.outline, `no outline at ${stop.name}`);
    must(stop.seen, `${stop.name} is out of sight when it has the focus`);
  }
  for (const id of ["f-area", "f-show", "f-sort", "f-tables"]) must(stops.some((s) => s.endsWith("#" + id)), `${id} is not reached`);
  await page.locator("#f-sort").focus();
  await page.keyboard.press("End");
  await page.locator("#f-tables").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await page.waitForURL(/sort=tested.*tables=open/);
  await page.locator("article.outcome details summary").first().focus();
  await page.keyboard.press("Enter");
  must((await page.locator("article.outcome").first().locator("details").getAttribute("open")) === null, "Enter does not close a data table");
});

// The picture in one file: no server, no network, no script.
const address = pathToFileURL(file).href;
for (const width of [390, 1440]) {
  await check(`file ${width}`, { viewport: { width, height: 900 }, offline: true, javaScriptEnabled: true }, async (page, must) => {
    const requests = [];
    page.on("request", (r) => r.url().startsWith("data:") || requests.push(r.url()));
    await page.goto(address);
    must(requests.length === 1, `it asks for ${requests.slice(1).join(", ")}`);
    must(await page.evaluate(() => document.fonts.ready.then(() => document.fonts.check("16px 'Public Sans'"))), "the font is not in the file");
    await fits(page, must);
    if (width === 390) await audit(page, must);
  });
}
await check("file, languages by keyboard", { javaScriptEnabled: false, offline: true }, async (page, must) => {
  await page.goto(address);
  must(await page.locator(".doc.en").isVisible(), "English is out of sight");
  must(!(await page.locator(".doc.fr").isVisible()), "both languages are in sight");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  must(await page.locator(".doc.fr").isVisible(), "French is out of sight");
  must(!(await page.locator(".doc.en").isVisible()), "English is still in sight");
  await page.locator(".doc.fr .contents a").nth(1).click();
  must(page.url().includes("#fr-"), "the contents lead elsewhere");
  must((await page.locator(".doc.fr .marking").isVisible()), "the marking is not in the file");
});

// Prints, for browser_test.go to read.
for (const [name, url] of Object.entries({ year: `${base}/fr/${views.year}`, outcomes: `${base}/en/${views["outcomes-open"]}`, file: address })) {
  await check(`print ${name}`, { colorScheme: "dark" }, async (page, must) => {
    await page.goto(url);
    await page.emulateMedia({ media: "print" });
    must(!(await page.locator(".mast nav").first().isVisible().catch(() => false)), "the navigation is printed");
    must((await page.evaluate(() => getComputedStyle(document.body).color)) === "rgb(23, 32, 43)", "it is printed in the dark theme");
    if (name !== "file") await audit(page, must, "target-size"); // nobody touches a link on paper
    await page.pdf({ path: `${out}/${name}.pdf`, preferCSSPageSize: true, printBackground: true, tagged: true, outline: true });
  });
}

await browser.close();
