// Looks at the pages in a browser, as browser_test.go says, and prints what it
// found: one line of JSON a check, {"name", "faults"}. Everything is a check of
// its own, so that one fault does not hide the others.
//
//	node check.mjs MODULES CHROMIUM BASE FILE OUT
//
// MODULES is the folder that holds node_modules, BASE the storybook's world, FILE
// the picture in one file, OUT a folder for prints.

import { pathToFileURL } from "node:url";
import { fits, marked, start } from "./common.mjs";

const [modules, executablePath, base, file, out] = process.argv.slice(2);
const own = (url) => url.startsWith(new URL(base).origin + "/") || url.startsWith("data:") || url.startsWith("file:");
const { browser, check, audit, each } = await start(modules, executablePath, own);

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

for (const [view, path] of Object.entries(views)) {
  await each(view, { url: (lang) => `${base}/${lang}/${path}`, options: view === "missing" ? { expected: /404/ } : {}, always: marked });
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
