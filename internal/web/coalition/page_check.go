package coalition

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/verify"
	"muster/internal/web"
)

// ReadCheck reads what muster verify --json printed of a cycle. Nobody has signed it:
// a page says whose run it was, and how to run it oneself.
func ReadCheck(body []byte) (*verify.Report, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var r verify.Report
	err := decoder.Decode(&r)
	if err == nil {
		if _, end := decoder.Token(); !errors.Is(end, io.EOF) {
			err = errs.New(errs.Invalid, "there is something behind it", "")
		}
	}
	if err != nil || len(r.Findings) == 0 {
		return nil, errs.Wrap(err, errs.Invalid, "this is no report of muster verify", "muster verify BUNDLE --json prints one")
	}
	for _, f := range r.Findings {
		known := slices.Contains(verify.Steps(), f.Step) && slices.Contains([]verify.Verdict{verify.Holds, verify.Fails, verify.Unchecked}, f.Verdict)
		if !known || f.Text.In("en") == "" || f.Text.In("fr") == "" {
			return nil, errs.New(errs.Invalid, "the report has a finding that this muster does not know", "run muster verify again, with this muster")
		}
	}
	return &r, nil
}

// checkView says how everybody checks the cycle, and what the coalition's own run said.
type checkView struct {
	web.Page
	Heading, Lead string
	Commands      []checkCommand
	Ran           []checkRun // none if there is no report
	Entries       []checkEntry
	Limits        []string
}

type checkCommand struct{ Text, Command string }

type checkRun struct {
	Title string
	Lead  string
	Sum   string
	Steps []checkStep
}

type checkStep struct {
	Title    string
	Findings []checkFinding
}

type checkFinding struct{ Verdict, Text, Place string }

// checkEntry is a kind of entry of the record, and what it means.
type checkEntry struct{ Kind, Means string }

func (d *drawing) check() checkView {
	// Who may see what differs, so does the name: nobody hands on one for another.
	export := "muster ledger export " + d.cycle.ID + " --ledger ledger"
	public, auditor, members := d.cycle.ID+"-public.tar", d.cycle.ID+"-auditor.tar", d.cycle.ID+".tar"
	check := func(bundle, more string) string {
		return "muster verify " + bundle + " --log KEY --witness KEY --charter DIGEST " + more
	}
	v := checkView{
		Heading: d.T("check.title"), Lead: d.T("check.lead"),
		Commands: []checkCommand{
			{d.T("check.export"), export + " --public --out " + public},
			{d.T("check.exportAuditor"), export + " --auditor --out " + auditor},
			{d.T("check.exportCoalition"), export + " --out " + members},
			{d.T("check.verify"), check(public, "--seen checkpoint --keep")},
			{d.T("check.receipt"), check(members, "--receipt sealed/RECEIPT.json")},
			{d.T("check.break"), check(members, "--acknowledgement acknowledgement.json")},
			{d.T("check.auditor"), check(members, "--collector-key coordinator")},
		},
		Ran: d.ran(),
	}
	for _, row := range ledger.Rows() {
		v.Entries = append(v.Entries, checkEntry{string(row.Kind), row.Text(d.Lang)})
	}
	for _, l := range verify.Limits() {
		v.Limits = append(v.Limits, l.Text.In(d.Lang))
	}
	return v
}

// ran returns what the coalition's own runs said of what is shown: one for each
// charter under which there is a release.
func (d *drawing) ran() []checkRun {
	var runs []checkRun
	for _, sheet := range d.cycle.Sheets {
		i := slices.IndexFunc(d.picture.Checks, func(r *verify.Report) bool { return r.Charter == sheet.Charter })
		if i < 0 {
			continue
		}
		r := d.picture.Checks[i]
		run := checkRun{
			Title: d.Plain(sheet.PackTitle), Lead: d.T("check.ranLead", "Ledger", r.Ledger, "Entries", d.Number(int(r.Entries))),
			Sum: d.T("check.sum", "Holds", r.Count(verify.Holds), "Fails", r.Count(verify.Fails), "Unchecked", r.Count(verify.Unchecked)),
		}
		if r.Summary != nil { // an earlier muster's report has none
			run.Sum += " " + r.Summary.In(d.Lang)
		}
		for _, step := range verify.Steps() {
			s := checkStep{Title: step.Title().In(d.Lang)}
			for _, f := range r.Findings {
				if f.Step == step {
					s.Findings = append(s.Findings, checkFinding{f.Verdict.Words().In(d.Lang), f.Text.In(d.Lang), f.Place})
				}
			}
			if s.Findings != nil {
				run.Steps = append(run.Steps, s)
			}
		}
		runs = append(runs, run)
	}
	return runs
}

// check takes in reports of charters of which the picture shows a release, one of
// each.
func (p *Picture) check(reports []*verify.Report) error {
	for _, r := range reports {
		shown := slices.ContainsFunc(p.Cohorts, func(c *Cohort) bool {
			return slices.ContainsFunc(c.Cycles, func(y *Cycle) bool {
				return slices.ContainsFunc(y.Sheets, func(s *Sheet) bool { return s.Charter == r.Charter })
			})
		})
		switch {
		case r.Coalition != p.Coalition || !shown:
			return errs.New(errs.Invalid, "there is a report of "+errs.Quote(r.Coalition)+", "+errs.Quote(r.Cycle)+", and no release under its charter", "give reports of the cycles that the picture shows")
		case slices.ContainsFunc(p.Checks, func(o *verify.Report) bool { return o.Charter == r.Charter }):
			return errs.New(errs.Invalid, "there are two reports of the cycle "+errs.Quote(r.Cycle), "give the later one")
		}
		p.Checks = append(p.Checks, r)
	}
	return nil
}
