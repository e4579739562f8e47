// Looks at the pages of what falls together, as check.mjs does at the coalition's: one
// line of JSON a check, {"name", "faults"}.
//
//	node cascade.mjs MODULES CHROMIUM BASE OUT SCENARIO...
//
// BASE is where the pages of the invented port community lie, OUT a folder for
// prints, of every scenario that is named.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, executablePath, base, out, ...scenarios] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const report = (name, faults) => console.log(JSON.stringify({ name, faults }));

// check runs one check in a window of its own. What the page logs, and what it asks of
// anybody but its own server, is a fault.
async function check(name, options, look) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const faults = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    page.on("console", (m) => {
      if (!(options.missing && /404/.test(m.text()))) faults.push(`the browser says: ${m.text()}`);
    });
    page.on("pageerror", (e) => faults.push(`the page breaks: ${e}`));
    page.on("request", (r) => {
      if (!r.url().startsWith(new URL(base).origin + "/") && !r.url().startsWith("data:")) faults.push(`asks for ${r.url()}`);
    });
    await look(page, (ok, fault) => ok || faults.push(fault), context);
  } catch (e) {
    faults.push(String(e.message ?? e).split("\n").slice(0, 4).join(" "));
  } finally {
    await context.close();
  }
  report(name, faults);
}

async function audit(page, must, ...off) {
  const rules = Object.fromEntries(off.map((id) => [id, { enabled: false }]));
  // The policy lets no script in that is not the page's own, so axe is asked for by the browser's tools.
  const found = await page.evaluate(`${axe}; axe.run(document, {runOnly: {type: "tag", values: ${JSON.stringify(tags)}}, rules: ${JSON.stringify(rules)}})`);
  must(found.passes.length > 10, `axe looked at ${found.passes.length} rules only`);
  for (const v of found.violations) must(false, `axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
}

async function fits(page, must) {
  const seen = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (e) => e && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    const beyond = [...document.querySelectorAll("main *, header *, footer *")]
      .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > width + 1 && !scrolls(e) && !e.closest(".away") && !e.closest("[data-canvas]"))
      .map((e) => e.tagName + "." + (e.getAttribute("class") ?? ""));
    return { width, total: document.documentElement.scrollWidth, beyond: beyond.slice(0, 5) };
  });
  must(seen.total <= seen.width, `the page is ${seen.total} wide in a window of ${seen.width}`);
  must(seen.beyond.length === 0, `beyond the window: ${seen.beyond.join(", ")}`);
}

// over waits until something that was asked for is over, by looking again.
async function over(page) {
  for (let i = 0; i < 900 && (await page.locator(".working .acts").count()); i++) {
    await page.waitForTimeout(200);
    await page.reload();
  }
}

// Every scenario's page is worked out, without JavaScript; then two runs and their
// comparison.
const places = {};
await check("without JavaScript", { javaScriptEnabled: false, acceptDownloads: true }, async (page, must) => {
  const go = async (place) => {
    const there = page.waitForNavigation();
    await place.click();
    await there;
  };
  for (const s of scenarios) {
    await page.goto(`${base}/en/scenario/${s}/`);
    if (await page.locator(".working form button").count()) await go(page.locator(".working form button").first());
    await over(page);
    must(/of critical service stops/.test(await page.locator("h1").innerText()), `${s} is not worked out`);
  }
  await page.goto(base + "/");
  await go(page.getByRole("link", { name: "Runs" }));
  const start = async (trials, measures) => {
    await page.selectOption("#r-scenario", scenarios[0]);
    await page.selectOption("#r-trials", String(trials));
    await page.fill("#r-seed", "7");
    if (measures.length) await page.locator("details.pick summary").click();
    for (const m of measures) await page.check(`input[value="${m}"]`);
    await go(page.getByRole("button", { name: "Run it" }));
  };
  await start(4096, []);
  await over(page);
  places.result = new URL(page.url()).pathname;
  must(/[0-9a-f]{64}/.test(await page.locator(".digests").innerText()), "a run has no result_hash");
  const download = page.waitForEvent("download");
  await page.locator(".further a[download]").click();
  must((await (await download).suggestedFilename()).startsWith("SYNTHETIC-"), "a download does not carry the marking");
  await go(page.locator(".further a").first());
  await start(4096, ["terminal-by-hand", "terminal-updates"]);
  await over(page);
  await go(page.locator(".further a").first());
  await go(page.getByRole("button", { name: "Compare two runs" }));
  await over(page);
  places.compare = new URL(page.url()).pathname;
  must(/Less is lost|More is lost/.test(await page.locator(".deck").first().innerText()), "the comparison says nothing");
  // A graph can be gone through by its table.
  await go(page.getByRole("link", { name: "Dependencies" }));
  await go(page.locator("table.groups").getByRole("link", { name: "Digital" }));
  must((await page.locator("article.service").count()) === 6, "the opened group has not its six services");
  must(!(await page.locator("[data-canvas]").isVisible()), "an empty picture is shown");
  // Another budget.
  await page.goto(`${base}/en/scenario/${scenarios[0]}/measures`);
  await page.fill("#m-budget", "2");
  await go(page.getByRole("button", { name: "Choose anew" }));
  await over(page);
  must(page.url().endsWith("?budget=2") && /2 units/.test(await page.locator(".first .lead").innerText()), "another budget has no page");
});

await check("with JavaScript", {}, async (page, must) => {
  await page.goto(`${base}/en/runs`);
  await page.selectOption("#r-trials", "131072");
  await page.locator("#r-trials").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Run it" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/result\//);
  if (await page.locator("muster-working").count()) {
    await page.waitForFunction(() => document.querySelector("progress")?.value > 0 || !document.querySelector("muster-working"));
    await page.waitForFunction(() => !document.querySelector("muster-working"));
  }
  must(/[0-9a-f]{64}/.test(await page.locator(".digests").innerText()), "the page did not come back by itself with the result");
  await page.goto(`${base}/en/runs`);
  await page.selectOption("#r-trials", "131072");
  await page.fill("#r-seed", "99");
  await page.getByRole("button", { name: "Run it" }).click();
  await page.waitForURL(/\/result\//);
  const end = page.getByRole("button", { name: "End it" });
  if (await end.isVisible().catch(() => false)) {
    await end.click().catch(() => {}); // it may be done by now
    await page.waitForFunction(() => !document.querySelector("muster-working"));
    must(/ended|result_hash/.test(await page.locator("main").innerText()), "a run that was ended says nothing");
  }
  for (const [path, least] of [["graph", 7], ["graph?by=owner", 50], ["graph?by=owner&open=Nalverra", 16]]) {
    await page.goto(`${base}/en/${path}`);
    await page.locator("muster-graph.drawn canvas").first().waitFor();
    const box = await page.locator("[data-canvas]").boundingBox();
    must(box && box.height > 300, `the picture of ${path} is ${box?.height} high`);
    const data = await page.evaluate(async () => (await fetch(document.querySelector("muster-graph").dataset.data)).json());
    must(data.nodes.length >= least, `${path} has ${data.nodes.length} nodes`);
  }
  await page.goto(`${base}/en/graph`);
  await page.locator("muster-graph.drawn canvas").first().waitFor();
  const box = await page.locator("[data-canvas]").boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + 44); // the first group is at the top
  await page.waitForURL(/open=/);
});

const first = `scenario/${scenarios[0]}/`;
const views = { minute: first, measures: first + "measures", sure: first + "sure", runs: "runs", result: places.result, compare: places.compare, graph: "graph", owners: "graph?by=owner", open: "graph?by=sector&open=digital", map: "map", method: "method", missing: "nothing" };
const url = (lang, view) => (views[view].startsWith("/") ? new URL(base).origin + views[view].replace("/en/", `/${lang}/`) : `${base}/${lang}/${views[view]}`);

for (const view of Object.keys(views)) {
  const ways = [["en", 1440, "dark"], ["fr", 390, "light"]];
  for (const [lang, width, colorScheme] of ways) {
    await check(`axe ${view} ${lang} ${width} ${colorScheme}`, { viewport: { width, height: 900 }, colorScheme, missing: view === "missing" }, async (page, must) => {
      await page.goto(url(lang, view));
      if (view === "graph" || view === "owners" || view === "open") await page.locator("muster-graph.drawn").waitFor();
      must((await page.getAttribute("html", "lang")) === lang, "the page does not say its language");
      must(await page.locator(".marking").first().isVisible(), "the marking is not in sight");
      await fits(page, must);
      await audit(page, must);
    });
  }
  for (const width of [320, 1920]) {
    await check(`fits ${view} ${width}`, { viewport: { width, height: 900 }, missing: view === "missing" }, async (page, must) => {
      await page.goto(url("fr", view));
      await fits(page, must);
    });
  }
}

for (const s of scenarios) {
  for (const lang of ["en", "fr"]) {
    await check(`print ${s} ${lang}`, { colorScheme: "dark" }, async (page, must) => {
      await page.goto(`${base}/${lang}/scenario/${s}/`);
      await page.emulateMedia({ media: "print" });
      must(!(await page.locator(".mast nav").first().isVisible().catch(() => false)), "the navigation is printed");
      must((await page.evaluate(() => getComputedStyle(document.body).color)) === "rgb(23, 32, 43)", "it is printed in the dark theme");
      await page.pdf({ path: `${out}/${s}.${lang}.pdf`, preferCSSPageSize: true, printBackground: true, tagged: true, outline: true });
    });
  }
}

await browser.close();
