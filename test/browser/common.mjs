// What the scripts of this folder share: a browser, checks of which each is a line of
// JSON with its faults, axe, and looking at one page in every width and theme.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const long = process.env.MUSTER_LONG === "1";

// How a page is looked at. A width without a theme is one at which nothing may reach
// beyond the window. What differs between two widths or two languages is layout and
// words, between two themes colours: axe looks at everything once narrow and once
// wide, each in another language, and at the colours of the dark theme; with
// MUSTER_LONG=1 at everything in every way.
const ways = {
  en: [{ width: 1440, theme: "light", axe: "all" }, { width: 1440, theme: "dark", axe: "colours" }, { width: 390, theme: "light" }],
  fr: [{ width: 390, theme: "light", axe: "all" }, { width: 320, theme: "light" }, { width: 768, theme: "light" }, { width: 1024, theme: "light" }, { width: 1920, theme: "light" }],
};

// start returns a browser and what looks with it. own says of an address whether it is
// one that pages may ask for.
export async function start(modules, executablePath, own, ...more) {
  const require = createRequire(modules + "/");
  const { chromium } = require("playwright-core");
  const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more],
  });

  // check runs one check in a window of its own. What the page logs, unless it is to
  // fail, and what it asks of anybody but its own server, is a fault.
  async function check(name, { failing = false, ...options }, look) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const faults = [];
    let says = "";
    try {
      const page = await context.newPage();
      watch(page, faults, failing);
      says = (await look(page, (ok, fault) => ok || faults.push(fault), context)) ?? "";
    } catch (e) {
      faults.push(String(e.message ?? e).split("\n").slice(0, 4).join(" "));
    } finally {
      await context.close();
    }
    report(name, faults, says);
  }

  function watch(page, faults, failing) {
    page.setDefaultTimeout(60000);
    page.on("console", (m) => failing || faults.push(`the browser says: ${m.text()}`));
    page.on("pageerror", (e) => faults.push(`the page breaks: ${e}`));
    page.on("request", (r) => own(r.url()) || faults.push(`asks for ${r.url()}`));
  }

  // audit runs axe over what is in sight: over everything but the rules that are off,
  // or over the rules named in only.
  async function audit(page, must, { off = [], only = [] } = {}) {
    const options = {
      runOnly: only.length ? { type: "rule", values: only } : { type: "tag", values: tags },
      rules: Object.fromEntries(off.map((id) => [id, { enabled: false }])),
      resultTypes: ["violations"],
    };
    // The policy lets no script in that is not the page's own, so axe is asked for by the browser's tools.
    const found = await page.evaluate(`globalThis.axe ?? ${axe}; axe.run(document, ${JSON.stringify(options)})`);
    if (!only.length) must(found.passes.length > 10, `axe looked at ${found.passes.length} rules only`);
    for (const v of found.violations) {
      must(false, `axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
    }
  }

  // each looks at the page at url(lang) in both languages, one check each, and in every
  // way of that language, once look has seen it.
  async function each(name, { url, langs = Object.keys(ways), options = {}, look = async () => {} }) {
    for (const lang of langs) {
      const all = long ? [320, 390, 768, 1024, 1440, 1920].flatMap((width) => ["light", "dark"].map((theme) => ({ width, theme, axe: "all" }))) : ways[lang];
      const [{ width, theme }] = all;
      await check(`${name} ${lang}`, { viewport: { width, height: 900 }, colorScheme: theme, ...options }, async (page, must, context) => {
        await page.goto(url(lang));
        must((await page.getAttribute("html", "lang")) === lang, "the page does not say its language");
        await look(page, must, context);
        for (const way of all) {
          const here = (ok, fault) => must(ok, `${way.width} ${way.theme}: ${fault}`);
          await page.setViewportSize({ width: way.width, height: 900 });
          await page.emulateMedia({ colorScheme: way.theme });
          const light = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) === "rgb(250, 249, 245)";
          here(light === (way.theme === "light"), `the page is ${light ? "light" : "dark"}`);
          await fits(page, here);
          if (way.axe) await audit(page, here, way.axe === "colours" ? { only: ["color-contrast"] } : {});
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
