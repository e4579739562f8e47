// What the scripts of this folder share: a browser, checks of which each is a line of
// JSON with its faults, axe, and looking at one page in every width and theme.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const long = process.env.MUSTER_LONG === "1";

// How a page is looked at in each language: at every width nothing may reach beyond the
// window, and where axe is named it looks at all that is in sight. With MUSTER_LONG=1 it
// does so at every width in both themes.
const ways = {
  en: [{ width: 1440, axe: true }, { width: 1440, dark: true, axe: true }, { width: 390, axe: true }, { width: 320 }],
  fr: [{ width: 390, axe: true }, { width: 1440 }, { width: 320 }, { width: 768 }, { width: 1024 }, { width: 1920 }],
};
const everyWay = [320, 390, 768, 1024, 1440, 1920].flatMap((width) => [false, true].map((dark) => ({ width, dark, axe: true })));

// start returns a browser and what looks with it. own says of an address whether it is
// one that pages may ask for; timeout is how long anything may take, in milliseconds.
export async function start(modules, executablePath, own, { timeout = 30000, args = [] } = {}) {
  const require = createRequire(modules + "/");
  const { chromium } = require("playwright-core");
  const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...args],
  });

  // check runs one check in a window of its own. What the page logs, but for what is
  // expected of it, and what it asks of anybody but its own server, is a fault.
  async function check(name, { expected, own, ...options }, look) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const faults = [];
    let says = "";
    try {
      const page = await context.newPage();
      watch(page, faults, { expected, own });
      says = (await look(page, (ok, fault) => ok || faults.push(fault), context)) ?? "";
    } catch (e) {
      faults.push(String(e.message ?? e).split("\n").slice(0, 4).join(" "));
    } finally {
      await context.close();
    }
    report(name, faults, says);
  }

  // watch puts what a page logs and asks for into faults; expected is what it may log.
  function watch(page, faults, { expected = /(?!)/, own: may = own } = {}) {
    page.setDefaultTimeout(timeout);
    page.on("console", (m) => expected.test(m.text()) || faults.push(`the browser says: ${m.text()}`));
    page.on("pageerror", (e) => faults.push(`the page breaks: ${e}`));
    page.on("request", (r) => may(r.url()) || faults.push(`asks for ${r.url()}`));
  }

  // audit runs axe over what is in sight, but for the rules that are off.
  async function audit(page, must, ...off) {
    const options = { runOnly: { type: "tag", values: tags }, rules: Object.fromEntries(off.map((id) => [id, { enabled: false }])), resultTypes: ["violations"] };
    // The policy lets no script in that is not the page's own, so axe is asked for by the browser's tools.
    const found = await page.evaluate(`globalThis.axe ?? ${axe}; axe.run(document, ${JSON.stringify(options)})`);
    must(found.passes.length > 10, `axe looked at ${found.passes.length} rules only`);
    for (const v of found.violations) {
      must(false, `axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
    }
  }

  // each looks at the page at url(lang) in both languages, one check each: once with
  // look, then in every way of that language, with always. It is resized in place, and
  // loaded anew for each way where it is fresh: what lays itself out when it is loaded.
  async function each(name, { url, options = {}, fresh = false, look = async () => {}, always = async () => {} }) {
    for (const lang of Object.keys(ways)) {
      const all = long ? everyWay : ways[lang];
      await check(`${name} ${lang}`, { viewport: { width: all[0].width, height: 900 }, colorScheme: all[0].dark ? "dark" : "light", ...options }, async (page, must, context) => {
        await page.goto(url(lang));
        must((await page.getAttribute("html", "lang")) === lang, "the page does not say its language");
        await look(page, must, context);
        for (const { width, dark = false, axe } of all) {
          const here = (ok, fault) => must(ok, `${width} ${dark ? "dark" : "light"}: ${fault}`);
          await page.setViewportSize({ width, height: 900 });
          await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
          if (fresh) {
            await page.reload();
            await look(page, here, context);
          }
          const light = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) === "rgb(250, 249, 245)";
          here(light !== dark, `the page is ${light ? "light" : "dark"}`);
          await always(page, here);
          await fits(page, here);
          if (axe) await audit(page, here);
        }
      });
    }
  }
  return { browser, check, watch, audit, each };
}

export function report(name, faults, says = "") {
  console.log(JSON.stringify({ name, faults, says }));
}

// fits holds that nothing reaches beyond the window, and that pictures are drawn.
export async function fits(page, must) {
  const seen = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (e) => e && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    const beyond = [...document.querySelectorAll("main *, header *, footer *")]
      .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > width + 1 && !scrolls(e) && !e.closest(".away") && !e.closest("[data-canvas]"))
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

// marked holds that the marking is in sight.
export async function marked(page, must) {
  must(await page.locator(".marking").first().isVisible(), "the marking is not in sight");
}

// opened opens every part of the page that can be folded.
export async function opened(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
}
