package workspace

import (
	"fmt"
	"html/template"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
	"muster/vdaf"
)

// sealingView is the page before sealing: this leaves; this stays; who could learn
// what; and what each host sees.
type sealingView struct {
	web.Page
	Kicker, Heading, Lead string
	Blocked               string
	CheckHref             string
	Leaves, Stays         []sheetCount
	Learn                 []learnRow
	Noise                 []noisePanel
	NoiseLead             string
	NoiseNote             string
	Commands              []string
	Digest                string
	Charter               string
	Sealings              []sealingRow
	Table                 []leaveRow
	Seal                  *sealView
	Postpone              *postponeView // nil where there is no charter that could be postponed
	Upload                string        // the command that delivers what was sealed last
	May                   mayView
}

type learnRow struct{ Who, What string }

type noisePanel struct {
	Title, Says string
	Picture     template.HTML
}

type sealingRow struct {
	Sequence, Who, File string
	Href                string // of the sealed file, if it is kept
	Counts              bool
}

// sealView is the form that seals.
type sealView struct {
	Action, Says, Refused string
	Asks                  bool
}

// leaveRow is an outcome as it is sealed.
type leaveRow struct {
	ID                                     string
	Title                                  template.HTML
	Level, Verified, Target, Gap, Evidence string
}

func (p *Pages) sealing(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	if err := p.describe(ctx, v); err != nil {
		return err
	}
	is, err := p.service.Sealable(ctx, v.person, id)
	if err != nil {
		return err
	}
	if is.Pack.AnsweredBy == framework.ByCoordinator {
		return p.serveSigning(w, v, is)
	}
	s, err := p.state(ctx, v)
	if err != nil {
		return err
	}
	sealings, err := p.service.Sealings(ctx, v.person, id)
	if err != nil {
		return err
	}
	view := sealingView{Kicker: v.kicker(), Heading: v.T("sealing.heading"), Lead: v.T("sealing.lead"), CheckHref: v.to.under(id, "check"), Digest: is.Digest, May: v.may("sealing")}
	if n := len(is.Blockers); n > 0 {
		view.Heading, view.Blocked = v.T("sealing.dry"), v.N("sealing.blocked", n)
	}
	layout, err := framework.NewLayout(is.Pack)
	if err != nil {
		return err
	}
	view.Leaves = v.leaves(is, layout)
	view.Stays = v.stays(s)
	for _, who := range []string{"host", "both", "coordinator", "members", "reader"} {
		view.Learn = append(view.Learn, learnRow{v.T("learn." + who), v.T("learn." + who + "What")})
	}
	if view.Noise, err = v.noise(is, layout, p.rand); err != nil {
		return err
	}
	area := &is.Pack.Areas[0]
	view.NoiseLead = v.T("noise.lead", "ID", area.ID, "Area", plainText(v.areas[area.ID]))
	view.NoiseNote = v.T("noise.note")
	if len(is.Now.Answers) < len(is.Pack.Outcomes()) {
		view.NoiseNote = v.T("noise.open") + " " + view.NoiseNote
	}
	if v.survey.Charter == "" {
		view.Charter = v.T("sealing.noCharter")
	}
	view.Commands = []string{
		"muster workspace seal --survey " + string(id) + " --dry-run",
		"muster workspace seal --survey " + string(id) + " --out sealed.json",
	}
	for i, one := range slices.Backward(sealings) {
		row := sealingRow{Sequence: strconv.FormatUint(one.Sequence, 10), Who: v.when(one.Revised), File: one.File, Counts: i == len(sealings)-1}
		if p.sealer != nil {
			if name, _, err := p.sealer.File(id, one.Sequence); err == nil {
				row.Href = v.to.under(id, "sealing", "file", row.Sequence)
				if row.Counts {
					view.Upload = "muster workspace upload " + name + " --dir ."
				}
			}
		}
		view.Sealings = append(view.Sealings, row)
	}
	view.Seal = p.sealView(v, is, len(sealings))
	if view.Postpone, err = p.postponeView(ctx, v); err != nil {
		return err
	}
	for _, o := range is.Pack.Outcomes() {
		a, ok := is.Now.Answers[o.ID]
		row := leaveRow{ID: o.ID, Title: v.outcomes[o.ID].Title, Level: "–", Verified: "–", Target: "–", Gap: "–", Evidence: "–"}
		if ok {
			row.Level, row.Gap = v.level(a.Level), v.T("gap."+a.Gap().String())
			if a.Verified != framework.None {
				row.Verified = v.level(a.Verified)
			}
			if a.Target != framework.None {
				row.Target = v.level(a.Target)
			}
			if a.Evidence != framework.NoEvidence {
				row.Evidence = a.Evidence.String()
			}
		}
		view.Table = append(view.Table, row)
	}
	view.Page = p.page(v, v.T("nav.sealing"), v.to.under(id, "sealing"), surveyPath(id)+"sealing")
	p.render(w, http.StatusOK, "sealing", view)
	return nil
}

// sealView is the form that seals, or why it cannot be sealed now; nil where nothing is
// sealed from these pages.
func (p *Pages) sealView(v *visit, is workspace.Sealable, sealed int) *sealView {
	if p.sealer == nil || !v.person.May(workspace.DoSeal) {
		return nil
	}
	view := &sealView{Action: v.to.under(is.Survey, "sealing", "seal"), Says: v.T("sealing.first"), Asks: p.sealer.AsksPassphrase()}
	if sealed > 0 {
		view.Says = v.N("sealing.again", sealed)
	}
	deadline := v.survey.Deadline
	switch {
	case len(is.Blockers) > 0:
		view.Refused = v.N("sealing.blocked", len(is.Blockers))
	case v.survey.Charter == "":
		view.Refused = v.T("sealing.noCharter")
	case !deadline.IsZero() && !p.now().Before(deadline):
		view.Refused = v.T("sealing.late", "Date", v.Date(deadline.Unix()), "Time", deadline.UTC().Format("15:04"))
	}
	return view
}

// leaves counts what is sealed.
func (v *visit) leaves(is workspace.Sealable, layout *framework.Layout) []sheetCount {
	var verified, targets, evidence int
	for _, a := range is.Now.Answers {
		if a.Verified != framework.None {
			verified++
		}
		if a.Target != framework.None {
			targets++
		}
		if a.Evidence != framework.NoEvidence {
			evidence++
		}
	}
	of := len(is.Pack.Outcomes())
	areas := len(is.Pack.Areas)
	return []sheetCount{
		{v.T("leaves.levels"), v.T("count.of", "N", len(is.Now.Answers), "Of", of)},
		{v.T("leaves.verified"), v.T("count.of", "N", verified, "Of", of)},
		{v.T("leaves.targets"), v.T("count.of", "N", targets, "Of", of)},
		{v.T("leaves.evidence"), v.T("count.of", "N", evidence, "Of", of)},
		{v.T("leaves.areas"), v.Number(areas)},
		{v.T("leaves.bits"), v.Number(layout.Bits())},
	}
}

// stays counts what does not leave.
func (v *visit) stays(s *state) []sheetCount {
	var notes, reasons, dates, comments, references, contributions int
	people := make(map[string]bool)
	for _, saved := range s.entries {
		e := saved.Entry
		if e.Note != "" {
			notes++
		}
		if e.Reason != "" {
			reasons++
		}
		if e.TargetDate != "" {
			dates++
		}
		if e.Assignee != "" {
			people[e.Assignee] = true
		}
		people[saved.By] = true
	}
	for outcome := range s.comments {
		comments += len(s.comments[outcome])
	}
	for outcome := range s.references {
		references += len(s.references[outcome])
	}
	for outcome := range s.contributions {
		contributions += len(s.contributions[outcome])
	}
	return []sheetCount{
		{v.T("stays.notes"), v.Number(notes)},
		{v.T("stays.reasons"), v.Number(reasons)},
		{v.T("stays.references"), v.Number(references)},
		{v.T("stays.comments"), v.Number(comments)},
		{v.T("stays.contributions"), v.Number(contributions)},
		{v.T("stays.people"), v.Number(len(people))},
		{v.T("stays.dates"), v.Number(dates)},
	}
}

// elementSize is the length of an element of the field that measurements are shared
// in, in bytes; fieldModulus is how many there are.
const (
	elementSize  = 16
	fieldModulus = "340282366920938462946865773367900766209"
)

// noise shares the answers as sealing does and draws the levels of the first area:
// as they are, and as each host gets them. The first host gets its half written out.
// The second gets a seed from which it makes what is missing to the answers, so what
// it holds is computed here as that difference.
func (v *visit) noise(is workspace.Sealable, layout *framework.Layout, rand io.Reader) ([]noisePanel, error) {
	now := &assess.Assessment{Member: is.Now.Member, Answers: make(map[string]assess.Answer)}
	for _, o := range is.Pack.Outcomes() {
		a, ok := is.Now.Answers[o.ID]
		if !ok {
			a = assess.Answer{Level: framework.Withheld}
		}
		now.Answers[o.ID] = a
	}
	measurement, err := assess.Measurement(layout, now, is.Before)
	if err != nil {
		return nil, err
	}
	prio3, err := vdaf.NewOneHotBlocks(2, layout.Sizes(), vdaf.ChunkLength(layout.Bits()))
	if err != nil {
		return nil, err
	}
	var nonce [vdaf.NonceSize]byte
	random := make([]byte, prio3.RandSize())
	if _, err := io.ReadFull(rand, nonce[:]); err != nil {
		return nil, fmt.Errorf("draw what a host sees: %w", err)
	}
	if _, err := io.ReadFull(rand, random); err != nil {
		return nil, fmt.Errorf("draw what a host sees: %w", err)
	}
	_, shares, err := prio3.Shard([]byte("muster workspace page"), measurement, &nonce, random)
	if err != nil {
		return nil, err
	}
	modulus, _ := new(big.Int).SetString(fieldModulus, 10)
	var answered, first, second [][]float64
	for _, o := range outcomesOf(&is.Pack.Areas[0]) {
		index, ok := layout.Index(o.ID, framework.KindLevel)
		if !ok {
			continue
		}
		at := layout.Offset(index)
		var rows [3][]float64
		for bucket := range layout.Blocks[index].Buckets {
			bit := int64(0)
			if measurement[index] == uint64(bucket) {
				bit = 1
			}
			share := element(shares[0][(at+bucket)*elementSize:])
			rest := new(big.Int).Mod(new(big.Int).Sub(big.NewInt(bit), share), modulus)
			rows[0] = append(rows[0], float64(bit))
			rows[1] = append(rows[1], grey(share, modulus))
			rows[2] = append(rows[2], grey(rest, modulus))
		}
		answered, first, second = append(answered, rows[0]), append(first, rows[1]), append(second, rows[2])
	}
	return []noisePanel{
		{v.T("noise.answers"), v.T("noise.answersSays"), cells(v.T("noise.answers"), answered)},
		{v.T("noise.first"), v.T("noise.firstSays"), cells(v.T("noise.first"), first)},
		{v.T("noise.second"), v.T("noise.secondSays"), cells(v.T("noise.second"), second)},
	}, nil
}

// element reads an element of the field, which is written with its lowest byte first.
func element(b []byte) *big.Int {
	reversed := slices.Clone(b[:elementSize])
	slices.Reverse(reversed)
	return new(big.Int).SetBytes(reversed)
}

// grey is where an element lies among all of them, 0 to 1.
func grey(x, modulus *big.Int) float64 {
	at, _ := new(big.Rat).SetFrac(x, modulus).Float64()
	return at
}

// cells draws rows of squares, the darker the higher.
func cells(title string, rows [][]float64) template.HTML {
	const size, step = 18, 20
	var b strings.Builder
	width := 0
	for _, row := range rows {
		width = max(width, len(row))
	}
	fmt.Fprintf(&b, `<svg class="cells" role="img" viewBox="0 0 %d %d"><title>%s</title>`, width*step, len(rows)*step, template.HTMLEscapeString(title))
	for y, row := range rows {
		for x, value := range row {
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" fill="currentColor" fill-opacity="%.2f"/>`, x*step+1, y*step+1, size, size, value*0.9)
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
