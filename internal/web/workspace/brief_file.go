package workspace

import (
	"bytes"
	"context"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"

	"muster/internal/errs"
	"muster/internal/exchange/docx"
	"muster/internal/web"
	"muster/internal/workspace"
)

// BriefConfig says which national brief is written.
type BriefConfig struct {
	Person   workspace.Person
	Survey   workspace.SurveyID
	Language string // empty for the first that the pages speak
	Marking  string // one of [BriefMarkings]; empty for the usual one
}

// briefFileView is the brief as one file for any browser.
type briefFileView struct {
	web.Page
	briefText
	Style  template.CSS
	Policy string
}

// WriteBrief writes a national brief as one HTML file that needs no network.
func (p *Pages) WriteBrief(ctx context.Context, w io.Writer, cfg BriefConfig) error {
	v, made, err := p.briefOf(ctx, cfg)
	if err != nil {
		return err
	}
	return p.writeBrief(w, v, made)
}

// WriteBriefDocument writes a national brief as a document for a word processor: the
// same words, in real styles, headings and tables.
func (p *Pages) WriteBriefDocument(ctx context.Context, w io.Writer, cfg BriefConfig) error {
	v, made, err := p.briefOf(ctx, cfg)
	if err != nil {
		return err
	}
	return docx.Write(w, v.document(made))
}

// briefOf composes the brief of a survey outside a request.
func (p *Pages) briefOf(ctx context.Context, cfg BriefConfig) (*visit, *composed, error) {
	lang := cfg.Language
	if lang == "" {
		lang = web.Languages()[0]
	}
	if !slices.Contains(web.Languages(), lang) {
		return nil, nil, errs.New(errs.Invalid, "there is no brief in "+errs.Quote(lang), "allowed: "+strings.Join(web.Languages(), ", "))
	}
	marking, err := briefMarking(cfg.Marking)
	if err != nil {
		return nil, nil, err
	}
	v := &visit{Printer: p.kit.Printer(lang), to: places{p.base, lang}, person: cfg.Person}
	is, err := p.service.Identity(ctx)
	if err != nil {
		return nil, nil, err
	}
	v.member, v.marking, v.survey.ID = string(is.Member), is.Marking, cfg.Survey
	if v.pack, err = p.service.Pack(ctx, v.person, cfg.Survey); err != nil {
		return nil, nil, err
	}
	v.packTexts = p.textsOf(v.pack, lang)
	if err := p.describe(ctx, v); err != nil {
		return nil, nil, err
	}
	made, err := p.compose(ctx, v, marking)
	return v, made, err
}

func (p *Pages) writeBrief(w io.Writer, v *visit, made *composed) error {
	view := briefFileView{briefText: made.briefText, Style: p.kit.Assets.Inline(), Policy: p.kit.Assets.InlinePolicy()}
	view.Page = web.Page{Printer: v.Printer, Assets: p.kit.Assets, Title: made.Heading, Marking: made.Synthetic}
	var b bytes.Buffer
	if err := p.templates["brief"].ExecuteTemplate(&b, "brieffile", view); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// briefFile serves the brief as a file: the person has asked for it, and it is hers to
// keep where nobody else reads it.
func (p *Pages) briefFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	marking, err := briefMarking(r.URL.Query().Get("marking"))
	if err != nil {
		return err
	}
	if err := p.describe(r.Context(), v); err != nil {
		return err
	}
	made, err := p.compose(r.Context(), v, marking)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	kind, ending := "text/html; charset=utf-8", ".html"
	switch r.PathValue("file") {
	case "brief.html":
		err = p.writeBrief(&b, v, made)
	case "brief.docx":
		kind, ending = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"
		err = docx.Write(&b, v.document(made))
	default:
		return errs.New(errs.NotFound, "there is no such file", "")
	}
	if err != nil {
		return err
	}
	attach(w, kind, strings.Join([]string{made.Synthetic, made.Stamp, v.member, v.survey.Cycle, "brief", v.Lang}, "-")+ending)
	_, _ = w.Write(b.Bytes()) // an error means that the other side has gone
	return nil
}

// attach says that a file is to be kept, and under which name.
func attach(w http.ResponseWriter, kind, name string) {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, name)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+strings.TrimLeft(name, "-.")+`"`)
}
