// Package browser looks at the pages in Debian's Chromium: with axe at WCAG 2.2
// AA, in English and French, on narrow and wide windows, in both themes, in print,
// without JavaScript, by keyboard alone, and as one file without a network.
//
// common.mjs does the looking, with playwright-core and axe-core, and each other
// script knows one site: a page is loaded once in each language, then looked at in
// every width and theme; with MUSTER_LONG=1 axe does so in all of them. The test starts
// the storybook's server, runs it, and reads the prints. What it needs besides Go
// is installed by .ci/run: Chromium, Node.js, poppler's pdftotext, and the modules
// of package-lock.json in a folder that MUSTER_BROWSER_MODULES names. Where one of
// them is missing the test skips and says which; with MUSTER_BROWSER=required it
// fails.
package browser
