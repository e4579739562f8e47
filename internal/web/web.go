// Package web is the kit that muster's pages are built from: layout, components,
// pictures, messages in English and French, style, and a server that is safe on
// a shared machine.
//
//	kit, err := web.New(web.Config{Locales: []fs.FS{locales}})
//	pages, err := kit.Pages(templates)
//	handler := web.Secure(mux)
//	err = web.Serve(ctx, listener, web.Loopback(listener.Addr(), handler))
//
// Pages that a person changes something with are served by [Door.Guard] in the place of
// [Loopback], under [FormPolicy], and may have one script of their own.
//
// What it promises: pages work without JavaScript, and those of [Secure] ship
// none; nothing is fetched from elsewhere; the content security policy allows the kit's own
// stylesheet and font and nothing inline; every picture is SVG with a title and a
// description and is legible in grey; both themes keep the contrast that WCAG 2.2
// AA asks for, which tests compute from the palette.
//
// The package knows nothing of what muster is about. A component is a struct
// that a page fills; it renders by a template of the kit or by a method.
package web

import (
	"archive/zip"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

//go:generate go run -C ../../tools ./archive ../internal/web/files.zip ../internal/web asset/* asset/font/* locale/*.yaml locale/refusal/* template/*

//go:embed files.zip
var archive string

// Files returns the files of an archive that tools/archive wrote: the pages' messages,
// templates and styles, which are a fifth of their size so.
func Files(archive string) fs.FS {
	files, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic(fmt.Sprintf("files.zip is not what go generate wrote: %v", err)) // nothing but a broken build
	}
	return files
}

// Languages returns the languages that every page speaks, the default first.
func Languages() []string { return []string{"en", "fr"} }

// Config says what a kit is made of besides its own parts.
type Config struct {
	Locales []fs.FS // message files of the pages, LANG.yaml in each; ids must not repeat
	Base    string  // the path that pages and assets are served under; empty for the root
	Assets  fs.FS   // *.css that the stylesheet ends with, at most one *.js, and *.mjs.gz that it loads; nil for none
}

// Kit holds what pages have in common. It does not change after [New] and may be
// used by many goroutines.
type Kit struct {
	Assets   *Assets
	printers map[string]*Printer
	base     *template.Template
}

// New reads messages, styles and templates. An error is a fault of the program.
func New(cfg Config) (*Kit, error) {
	files := Files(archive)
	own, err := fs.Sub(files, "locale")
	if err != nil {
		return nil, err
	}
	k := &Kit{}
	if k.printers, err = newPrinters(append([]fs.FS{own}, cfg.Locales...)); err != nil {
		return nil, err
	}
	if k.Assets, err = newAssets(cfg.Base, cfg.Assets); err != nil {
		return nil, err
	}
	k.base, err = template.New("kit").ParseFS(files, "template/*.html")
	if err != nil {
		return nil, fmt.Errorf("the kit's templates: %w", err)
	}
	return k, nil
}

// Printer returns the printer of a language, or of the default if pages do not
// speak it.
func (k *Kit) Printer(lang string) *Printer {
	if p, ok := k.printers[lang]; ok {
		return p
	}
	return k.printers[Languages()[0]]
}

// Negotiate returns the language of the pages that suits an Accept-Language header.
func (k *Kit) Negotiate(accept string) string {
	var tags []language.Tag
	for _, lang := range Languages() {
		tags = append(tags, language.Make(lang))
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 {
		return Languages()[0]
	}
	_, i, _ := language.NewMatcher(tags).Match(wanted...)
	return Languages()[i]
}

// Pages reads the templates of a page package: files that start with "_" are
// parts that all share, each other file NAME.html is the page NAME, which defines
// the template "main".
func (k *Kit) Pages(fsys fs.FS) (map[string]*template.Template, error) {
	names, err := fs.Glob(fsys, "*.html")
	if err != nil {
		return nil, err
	}
	var parts []string
	names = slices.DeleteFunc(names, func(name string) bool {
		if name[0] == '_' {
			parts = append(parts, name)
			return true
		}
		return false
	})
	pages := make(map[string]*template.Template, len(names))
	var failed []error
	for _, name := range names {
		base, err := k.base.Clone()
		if err != nil {
			return nil, err
		}
		page, err := base.ParseFS(fsys, append([]string{name}, parts...)...)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		pages[name[:len(name)-len(".html")]] = page
	}
	return pages, errors.Join(failed...)
}
