// Package verify checks one cycle of a coalition by its bundle and trusts nobody
// but the reader's own policy: the ledger's key, and which witnesses must have seen
// it.
//
//	report, err := verify.Folder(ctx, source, verify.Config{Policy: policy, Now: now})
//
// A [Report] has one or more findings for each step, each with a verdict: it holds,
// it fails, and where, or it cannot be checked with what is there, and why. What no
// bundle can prove stands in [Limits]. The words of both are in English and French.
//
// What the package promises: every byte of a bundle counts, so that one that was
// changed shows up as a finding that fails and names the part, but for the name and the
// hash of the key before a cosignature: that makes it a stranger's, which says nothing to
// the reader and is listed; what fails then is a witness that is missed. And what rests on
// something that only the bundle says is said. The keys of hosts and members are those
// in the charter, which whoever keeps the ledger could have made up with everybody in
// it: a reader who has the charter's digest from somebody else gives it, and is told
// whether it is the bundle's; without it a finding says that they are not known.
//
// The package is pure: no I/O and no clock, and the same bundle gives the same report.
package verify

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"muster/internal/coalition"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/ledger"
	"muster/internal/release"
)

// Verdict is what a finding says.
type Verdict string

// The verdicts.
const (
	Holds     Verdict = "holds"
	Fails     Verdict = "fails"
	Unchecked Verdict = "cannot be checked here"
)

// Step is what is checked.
type Step string

// The steps, in their order.
const (
	StepBundle      Step = "bundle"
	StepLog         Step = "log"
	StepConsistency Step = "consistency"
	StepWitnesses   Step = "witnesses"
	StepCharter     Step = "charter"
	StepEntries     Step = "entries"
	StepOrder       Step = "order"
	StepFramework   Step = "framework"
	StepAdoption    Step = "adoption"
	StepPhases      Step = "phases"
	StepDeadline    Step = "deadline"
	StepTimes       Step = "times"
	StepReceipts    Step = "receipts"
	StepRoster      Step = "roster"
	StepShares      Step = "shares"
	StepRelease     Step = "release"
	StepApproval    Step = "approval"
	StepDisclosure  Step = "disclosure"
	StepAttack      Step = "attack"
	StepEditions    Step = "editions"
	StepWipe        Step = "wipe"
	StepTotals      Step = "totals" // with the collector key alone
)

// Steps returns all steps in order.
func Steps() []Step {
	return []Step{
		StepBundle, StepLog, StepConsistency, StepWitnesses, StepCharter, StepEntries, StepOrder, StepFramework, StepAdoption, StepPhases, StepDeadline, StepTimes,
		StepReceipts, StepRoster, StepShares, StepRelease, StepApproval, StepDisclosure, StepAttack, StepEditions, StepWipe, StepTotals,
	}
}

// Finding is one thing that was checked, or could not be.
type Finding struct {
	Step    Step           `json:"step"`
	Verdict Verdict        `json:"verdict"`
	Code    string         `json:"code"` // of the sentence, for programs
	Text    framework.Text `json:"text"`
	Place   string         `json:"place,omitempty"`     // a part of the bundle; an entry as PART#NUMBER
	Detail  string         `json:"detail,omitempty"`    // what the check said, in English
	French  string         `json:"detail_fr,omitempty"` // likewise in French, where there are words for it
	Charter string         `json:"charter,omitempty"`   // the digest of the one that it is about, where the cycle has several
}

// Report is what was found of one bundle.
type Report struct {
	Coalition string         `json:"coalition"` // these as the charter says, if it could be read
	Cycle     string         `json:"cycle"`
	Marking   string         `json:"marking,omitempty"`
	Charter   string         `json:"charter,omitempty"` // hex SHA-256, of the last charter that could be read
	Ledger    string         `json:"ledger"`            // its name, entries and root, as the checkpoint says
	Entries   uint64         `json:"entries"`
	Root      string         `json:"root"`
	Findings  []Finding      `json:"findings"`
	Summary   framework.Text `json:"summary"` // what the findings come to
	Limits    []Sentence     `json:"cannot_be_proven"`
	Note      framework.Text `json:"note,omitempty"` // what the reader should know of itself, where the collector key was used

	// Checkpoint is the checkpoint that was checked, to be kept for the next time;
	// nil where it must not be: the ledger has not signed it, too few witnesses have
	// seen it, or it does not follow from what was seen before. Then it is Refused,
	// which is worth keeping as evidence; or, where enough have seen the cycle and too
	// few what was entered since, Unseen.
	Checkpoint []byte `json:"-"`
	Refused    []byte `json:"-"`
	Unseen     bool   `json:"-"`
}

// Failed reports whether anything fails.
func (r *Report) Failed() bool { return r.Count(Fails) > 0 }

// Count returns how many findings have a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// Config is what a reader brings. Policy and Now are needed.
type Config struct {
	Policy ledger.Policy
	Now    time.Time

	Seen    []byte // a checkpoint of an earlier run; nil: none
	Charter string // hex SHA-256 of the charter as the reader has it from elsewhere, or its sixteen words; empty: not known

	Acknowledgements []coalition.SignedFile    // of breaks of the silence, as a chair gave them
	Receipts         []coalition.SignedReceipt // of a member's own submissions
	Held             []coalition.SignedFile    // what hosts acknowledged of these receipts
	Records          [][]byte                  // the records that hosts keep of their own, as they gave them
	History          []release.Past            // what was released before this cycle, checked by whoever read it
	Packs            fs.FS                     // packs to find the charter's framework among; nil: none
	Attack           attack.Options

	Collector *Collector // nil: the reader was not admitted to the totals
}

// Folder checks a bundle that lies as a folder, or as parts in memory.
func Folder(ctx context.Context, source ledger.Source, cfg Config) (*Report, error) {
	b, err := ledger.OpenBundle(ctx, source)
	return run(b, err, cfg)
}

// Archive checks a bundle that is one file.
func Archive(ctx context.Context, file []byte, cfg Config) (*Report, error) {
	b, err := ledger.OpenArchive(ctx, file)
	return run(b, err, cfg)
}

// auditor goes through one bundle.
type auditor struct {
	cfg    Config
	b      *ledger.Bundle
	report *Report
	by     map[string]*cycle // by the charter's digest
	cycles []*cycle          // those that can be read, in the order of the ledger
	notes  []note            // the checkpoints that the ledger has signed, by size
	times  []seenAt

	words   map[string]words // the sentences by code
	resting bool             // whether a charter of the cycle is not here, or cannot be read
	current *cycle           // whose charter is spoken of, where there are several

	named     []string // keys of witnesses that charters name, as in [ledger.Witnessed.Strangers]
	witnessed bool     // enough of the reader's witnesses have seen the cycle
	counts    bool     // the checkpoint is signed by all who must, and follows
}

// run checks an opened bundle. The error is about what the reader brought; whatever
// is wrong with the bundle stands in the report.
func run(b *ledger.Bundle, opened error, cfg Config) (*Report, error) {
	if err := cfg.Policy.Check(); err != nil {
		return nil, err
	}
	a := &auditor{cfg: cfg, b: b, report: &Report{Findings: []Finding{}, Limits: Limits()}, by: make(map[string]*cycle), words: sentences()}
	if opened != nil {
		if errors.Is(opened, context.Canceled) || errors.Is(opened, context.DeadlineExceeded) {
			return nil, opened
		}
		a.broken(opened)
		a.report.Summary = a.report.inWords()
		return a.report, nil
	}
	c := b.View.Checkpoint
	a.report.Cycle, a.report.Ledger, a.report.Entries, a.report.Root = b.Manifest.Cycle, c.Origin, c.Size, c.Root.String()
	a.holds(StepBundle, "whole", int(c.Size), len(b.Files))
	a.ahead()
	if err := a.log(); err != nil {
		return nil, err
	}
	a.charters()
	a.strangers()
	a.entries()
	a.inOrder()
	a.phases()
	for _, c := range a.cycles {
		a.under(c, func() { a.cycle(c) })
	}
	a.acknowledged()
	a.own()
	a.disclosed()
	a.totals()
	if c := a.last(); c != nil {
		a.report.Coalition, a.report.Marking, a.report.Charter = c.charter.Coalition, c.charter.Marking, c.digest
	}
	a.keep()
	a.arrange()
	a.report.Summary = a.report.inWords()
	return a.report, nil
}

// cycle checks what is under one charter.
func (a *auditor) cycle(c *cycle) {
	a.framework(c)
	a.adoption(c)
	a.deadline(c)
	a.seenTimes(c)
	for i := range c.tasks {
		a.receipts(c, &c.tasks[i])
		a.roster(c, &c.tasks[i])
		a.shares(c, &c.tasks[i])
	}
	a.stepsLeftOut(c)
	a.releases(c)
	a.editions(c)
	a.wipes(c)
}

// last returns the cycle under the last charter that can be read, or nil: with a
// host that was replaced there are several.
func (a *auditor) last() *cycle {
	if len(a.cycles) == 0 {
		return nil
	}
	return a.cycles[len(a.cycles)-1]
}

// broken reports a bundle that cannot be opened.
func (a *auditor) broken(err error) {
	place := ""
	if part, ok := errors.AsType[*ledger.Part](err); ok {
		place = part.Name
	}
	a.fails(StepBundle, place, err, "broken")
	for _, step := range Steps()[1:] {
		if step != StepTotals {
			a.unchecked(step, "not_opened")
		}
	}
}

// NewFinding returns a finding in the words of its code, for pages that show one.
func NewFinding(step Step, verdict Verdict, place, code string, args ...any) Finding {
	return Finding{Step: step, Verdict: verdict, Code: code, Text: sentence(code, args...), Place: place}
}

func (a *auditor) add(step Step, verdict Verdict, place, detail, code string, args ...any) {
	f := Finding{Step: step, Verdict: verdict, Code: code, Text: said(a.words, code, args...), Place: place, Detail: detail, French: inFrench(detail)}
	if c := a.current; c != nil {
		f.Charter = c.digest
		for lang, called := range c.called().text() {
			f.Text[lang] += " (" + called + ")"
		}
	}
	a.report.Findings = append(a.report.Findings, f)
}

func (a *auditor) holds(step Step, code string, args ...any) {
	a.add(step, Holds, "", "", code, args...)
}

func (a *auditor) unchecked(step Step, code string, args ...any) {
	a.add(step, Unchecked, "", "", code, args...)
}

// fails adds a finding that fails. err may be nil: then the sentence says it all.
func (a *auditor) fails(step Step, place string, err error, code string, args ...any) {
	detail := ""
	if err != nil {
		if d := errs.Describe(err); d.Kind == errs.Internal {
			detail = err.Error()
		} else {
			detail = d.Message
		}
	}
	a.add(step, Fails, place, detail, code, args...)
}

// arrange puts the findings in the order of the steps, and says of a step of which
// nothing was said that there is nothing to check.
func (a *auditor) arrange() {
	var ordered []Finding
	for _, step := range Steps() {
		before := len(ordered)
		for _, f := range a.report.Findings {
			if f.Step == step {
				ordered = append(ordered, f)
			}
		}
		if len(ordered) == before && step != StepTotals {
			code := "nothing"
			if a.resting && len(a.cycles) == 0 {
				code = "rests"
			}
			ordered = append(ordered, NewFinding(step, Unchecked, "", code))
		}
	}
	a.report.Findings = ordered
}
