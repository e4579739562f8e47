// Looks at the pages of what falls together, as check.mjs does at the coalition's: one
// line of JSON a check, {"name", "faults"}.
//
//	node cascade.mjs MODULES CHROMIUM BASE OUT SCENARIO...
//
// BASE is where the pages of the invented port community lie, OUT a folder for
// prints, of every scenario that is named.

import { marked, start } from "./common.mjs";

const [modules, executablePath, base, out, ...scenarios] = process.argv.slice(2);
const own = (url) => url.startsWith(new URL(base).origin + "/") || url.startsWith("data:");
const { browser, check, each } = await start(modules, executablePath, own, { timeout: 60000 });

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
  const drawn = ["graph", "owners", "open"].includes(view);
  await each(view, {
    url: (lang) => url(lang, view),
    options: view === "missing" ? { expected: /404/ } : {},
    fresh: drawn,
    look: async (page, must) => {
      // In a narrow window the table says it alone.
      if (drawn && page.viewportSize().width > 340) await page.locator("muster-graph.drawn canvas").first().waitFor();
    },
    always: marked,
  });
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
