// Package pdf prints one page as a tagged PDF by the Chromium that a machine has:
// Chromium, Chrome or Edge. No Go library writes a PDF that can be read by ear.
//
//	browser, err := pdf.Find("")
//	file, err := pdf.Print(ctx, pdf.Config{Browser: browser, Scratch: folder}, page)
//
// The page may hold what nobody else is to see, so the package promises: it goes to
// the browser through a pipe that two processes share, not by a file, an address or a
// port, since another user of the machine can read a command line and can speak to a
// port; every request that the page makes is refused, and no name is looked up; no
// script of it runs; the browser's profile is in memory where the browser lets it, and
// what the browser writes all the same lies in a folder of its own inside Scratch,
// which is removed before Print returns, also where it fails.
//
// What it cannot promise: a machine that writes memory to a disk of its own accord, or
// a Print that is killed, leaves what it leaves. A folder from such an end is removed
// by the next Print.
package pdf

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster/internal/errs"
)

// Config says how to print.
type Config struct {
	Browser string        // the program, see [Find]
	Scratch string        // an existing folder that is the caller's own, as that of a workspace
	Timeout time.Duration // zero is two minutes

	// Kept is called with the browser's folder after the browser has ended and before
	// the folder is removed; for tests, else nil.
	Kept func(folder string)
}

// patience is how long a browser may take. On two processors with ten times as much to
// do as they can, a page of two sides took between four and thirty seconds.
const patience = 2 * time.Minute

// folderPrefix is what the browser's folders begin with.
const folderPrefix = ".muster-print-"

// File is a printed page.
type File struct {
	PDF     []byte
	Pages   int
	Refused []string // the addresses that the page asked for in vain
}

// Print prints a whole HTML page with print CSS. Its errors are of kind Unavailable if
// the browser did not do its work.
func Print(ctx context.Context, cfg Config, page []byte) (file *File, err error) {
	timeout := cfg.Timeout
	if timeout == 0 {
		timeout = patience
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := removeLeft(cfg.Scratch); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(cfg.Scratch, folderPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the browser: %w", err)
	}
	defer func() {
		if cfg.Kept != nil {
			cfg.Kept(folder)
		}
		err = errors.Join(err, remove(folder))
	}()
	b, err := start(ctx, cfg.Browser, folder)
	if err != nil {
		return nil, errs.Wrap(err, errs.Unavailable, fmt.Sprintf("the browser %s does not start", errs.Quote(cfg.Browser)), anotherBrowser)
	}
	file, err = b.print(ctx, page)
	ended := b.end()
	if err != nil {
		return nil, errs.Wrap(errors.Join(err, ended), errs.Unavailable, "the browser "+errs.Quote(cfg.Browser)+" did not print the page"+because(err, ended), anotherBrowser)
	}
	return file, nil
}

const anotherBrowser = "write the page with --out FILE.html and print it from any browser, or name another Chromium, Chrome or Edge with --browser"

// because says what is known of why.
func because(err, ended error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return " in time"
	case ended != nil && strings.Contains(ended.Error(), "sandbox"):
		return ": it cannot build its sandbox here"
	}
	return ""
}

// print does the work over the pipe.
func (b *browser) print(ctx context.Context, page []byte) (*File, error) {
	var made struct {
		BrowserContextID string `json:"browserContextId"`
		TargetID         string `json:"targetId"`
		SessionID        string `json:"sessionId"`
	}
	// A context of its own keeps in memory what a profile keeps in files.
	if err := b.call(ctx, "", "Target.createBrowserContext", nil, &made); err != nil {
		return nil, err
	}
	if err := b.call(ctx, "", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": made.BrowserContextID}, &made); err != nil {
		return nil, err
	}
	if err := b.call(ctx, "", "Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made); err != nil {
		return nil, err
	}
	session := made.SessionID
	for _, step := range []struct {
		method string
		params any
	}{
		{"Page.enable", nil},
		{"Fetch.enable", map[string]any{"patterns": []any{map[string]any{"urlPattern": "*"}}}},
		{"Network.enable", nil},
		{"Network.setCacheDisabled", map[string]any{"cacheDisabled": true}},
		{"Emulation.setScriptExecutionDisabled", map[string]any{"value": true}},
	} {
		if err := b.call(ctx, session, step.method, step.params, nil); err != nil {
			return nil, err
		}
	}
	var tree struct {
		FrameTree struct {
			Frame struct {
				ID string `json:"id"`
			} `json:"frame"`
		} `json:"frameTree"`
	}
	if err := b.call(ctx, session, "Page.getFrameTree", nil, &tree); err != nil {
		return nil, err
	}
	if err := b.call(ctx, session, "Page.setDocumentContent", map[string]any{"frameId": tree.FrameTree.Frame.ID, "html": string(page)}, nil); err != nil {
		return nil, err
	}
	// The fonts are in the page, and are read after it.
	if err := b.call(ctx, session, "Runtime.evaluate", map[string]any{"expression": "document.fonts.ready.then(() => document.fonts.size)", "awaitPromise": true}, nil); err != nil {
		return nil, err
	}
	var printed struct {
		Data string `json:"data"`
	}
	err := b.call(ctx, session, "Page.printToPDF", map[string]any{
		"generateTaggedPDF": true, "generateDocumentOutline": true, "preferCSSPageSize": true, "printBackground": true,
	}, &printed)
	if err != nil {
		return nil, err
	}
	body, err := base64.StdEncoding.DecodeString(printed.Data)
	if err != nil {
		return nil, fmt.Errorf("what was printed: %w", err)
	}
	if err := tagged(body); err != nil {
		return nil, err
	}
	return &File{PDF: body, Pages: pages(body), Refused: b.refusals()}, nil
}

// refuse answers a request of the page.
func (b *browser) refuse(session string, params json.RawMessage) {
	var paused struct {
		RequestID string `json:"requestId"`
		Request   struct {
			URL string `json:"url"`
		} `json:"request"`
	}
	if json.Unmarshal(params, &paused) != nil {
		return
	}
	if strings.HasPrefix(paused.Request.URL, "data:") { // it is in the page
		b.send(session, "Fetch.continueRequest", map[string]any{"requestId": paused.RequestID})
		return
	}
	b.mu.Lock()
	b.refused = append(b.refused, paused.Request.URL)
	b.mu.Unlock()
	b.send(session, "Fetch.failRequest", map[string]any{"requestId": paused.RequestID, "errorReason": "BlockedByClient"})
}

func (b *browser) refusals() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.refused...)
}

// removeLeft removes what a Print that was killed has left.
func removeLeft(scratch string) error {
	left, err := filepath.Glob(filepath.Join(scratch, folderPrefix+"*"))
	if err != nil {
		return err
	}
	for _, folder := range left {
		if info, err := os.Lstat(folder); err == nil && info.IsDir() && time.Since(info.ModTime()) > patience {
			if err := remove(folder); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove removes a folder that a child of the browser may still be writing to as it
// ends.
func remove(folder string) error {
	var err error
	for range 50 {
		if err = os.RemoveAll(folder); err == nil {
			if _, gone := os.Lstat(folder); errors.Is(gone, os.ErrNotExist) {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err == nil {
		err = fmt.Errorf("the folder %s is there again", folder)
	}
	return errs.Wrap(err, errs.Unavailable, "the browser's folder "+errs.Quote(folder)+" cannot be removed", "remove it by hand")
}
