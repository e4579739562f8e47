package demo

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/workspace"
)

// WorkspaceConfig says which workspace to fill.
type WorkspaceConfig struct {
	Store workspace.Store // empty
	Packs []*framework.Pack
	Seed  uint64
	Now   time.Time        // the day on which the demonstration is looked at
	Lead  workspace.Person // who looks at it

	// Chartered is a pack that a charter asks for this year: everything of it is answered
	// and waits for its sign-off and for being sealed. Nil for none.
	Chartered *framework.Pack
	Member    keys.Public // the member's own key, in that charter
}

// WorkspaceMember is whose workspace a demonstration is: an invented member.
const WorkspaceMember coalition.MemberID = "Ostmere"

// FillWorkspace makes of an empty store the half-filled workspace of an invented
// member in its second year: the year before is answered, verified, signed off and
// closed, with a plan and the coalition's release; of this year half is confirmed or answered, bodies have
// contributed, and some of what was carried over waits. One seed and one day give the
// same workspace.
func FillWorkspace(ctx context.Context, cfg WorkspaceConfig) error {
	f := filling{WorkspaceConfig: cfg, at: cfg.Now.AddDate(-1, 0, -20)}
	seed := [32]byte(binary.BigEndian.AppendUint64(make([]byte, 24), cfg.Seed))
	f.service = workspace.New(workspace.Config{Store: cfg.Store, Now: f.tick, Rand: rand.NewChaCha8(seed)})
	if err := f.service.Begin(ctx, cfg.Lead, WorkspaceMember); err != nil {
		return err
	}
	if err := f.service.SetName(ctx, cfg.Lead, cfg.Lead.Name); err != nil {
		return err
	}
	if err := f.service.Mark(ctx, cfg.Lead, Synthetic); err != nil {
		return err
	}
	if err := f.bodies(ctx); err != nil {
		return err
	}
	for i, pack := range cfg.Packs {
		if err := f.pack(ctx, pack, i == 0); err != nil {
			return fmt.Errorf("fill %s: %w", pack.ID, err)
		}
	}
	if cfg.Chartered == nil {
		return nil
	}
	return f.chartered(ctx, cfg.Chartered)
}

// filling is a workspace on its way. Its clock goes on by a minute whenever it is
// asked, and by leaps from year to year.
type filling struct {
	WorkspaceConfig
	service *workspace.Service
	at      time.Time
}

func (f *filling) tick() time.Time {
	f.at = f.at.Add(time.Minute)
	return f.at
}

// The people and bodies of the invented member.
const (
	deputy   = "Ines Calloway"
	verifier = "Tomas Brandt"
	headOf   = "Mira Oduya"
)

func (f *filling) bodies(ctx context.Context) error {
	for _, body := range []assess.Body{
		{ID: "interior", Name: "Ministry of the Interior", Kind: "ministry", Scope: "police, civil protection, registers"},
		{ID: "economy", Name: "Ministry of Economy", Kind: "ministry", Scope: "energy and telecommunications"},
		{ID: "transport", Name: "Ministry of Transport", Kind: "ministry", Scope: "rail, roads, maritime authority"},
		{ID: "health", Name: "Ministry of Health", Kind: "ministry", Scope: "hospitals and laboratories"},
		{ID: "grid", Name: "Ostmere Grid", Kind: "operator", Scope: "transmission of electricity"},
		{ID: "harbour", Name: "Port of Calvery", Kind: "port", Scope: "container and ferry terminals"},
	} {
		if _, err := f.service.PutBody(ctx, f.Lead, 0, body); err != nil {
			return err
		}
	}
	return nil
}

// pack fills the two years of one pack. Only the main one has bodies, findings and a
// plan.
func (f *filling) pack(ctx context.Context, pack *framework.Pack, main bool) error {
	synthetic, err := Generate(Config{Pack: pack, Members: 12, Seed: f.Seed})
	if err != nil {
		return err
	}
	var member *Member
	for i := range synthetic.Members {
		if m := &synthetic.Members[i]; m.Now != nil && m.Before != nil && (member == nil || m.Capability < member.Capability) {
			member = m // the one with most to do
		}
	}
	year := f.Now.Year()
	f.at = f.Now.AddDate(-1, 0, -20)
	last, this := fmt.Sprint(year-1), fmt.Sprint(year)
	lastYear := workspace.NewSurveyID(last, pack.ID)
	if _, err := f.service.Load(ctx, f.Lead, workspace.LoadConfig{Pack: pack, Cycle: last, Deadline: f.Now.AddDate(-1, 0, 10)}); err != nil {
		return err
	}
	if err := f.sections(ctx, lastYear, main); err != nil {
		return err
	}
	if err := f.answer(ctx, pack, lastYear, member.Before, len(pack.Outcomes())); err != nil {
		return err
	}
	if main {
		if err := f.verified(ctx, pack, lastYear, member.Before); err != nil {
			return err
		}
		if err := f.plan(ctx, pack, lastYear, member.Before); err != nil {
			return err
		}
	}
	if err := f.service.Close(ctx, f.Lead, lastYear); err != nil {
		return err
	}
	if main {
		if err := f.released(ctx, pack, lastYear, member); err != nil {
			return err
		}
	}
	f.at = f.Now.AddDate(0, 0, -9)
	thisYear := workspace.NewSurveyID(this, pack.ID)
	if _, err := f.service.Load(ctx, f.Lead, workspace.LoadConfig{Pack: pack, Cycle: this, Deadline: f.Now.AddDate(0, 0, 23), Before: lastYear}); err != nil {
		return err
	}
	if !main {
		return nil
	}
	return f.half(ctx, pack, thisYear, member)
}

// sections asks the bodies, and names who signs off.
func (f *filling) sections(ctx context.Context, id workspace.SurveyID, main bool) error {
	if !main {
		return nil
	}
	for _, section := range []workspace.Section{
		{ID: "ministries", Title: "Public bodies", Areas: []string{"A1", "A2", "A5"}, Bodies: []string{"interior", "economy", "transport", "health"}, Contact: "cyber contacts of the ministries"},
		{ID: "functions", Title: "Critical functions", Areas: []string{"A8"}, Bodies: []string{"transport", "health", "grid", "harbour"}, Contact: "operators' round table"},
	} {
		if _, err := f.service.PutSection(ctx, f.Lead, id, 0, section); err != nil {
			return err
		}
	}
	return f.service.SetChain(ctx, f.Lead, id, []assess.Step{
		{ID: "expert", Name: "Expert of the authority"}, {ID: "head", Name: "Head of the authority"}, {ID: "minister", Name: "Minister", Signed: true},
	})
}

// answer gives the first so many answers of an assessment, with a note to some.
func (f *filling) answer(ctx context.Context, pack *framework.Pack, id workspace.SurveyID, a *assess.Assessment, count int) error {
	by := []workspace.Person{f.Lead, workspace.Lead(deputy)}
	for i, o := range pack.Outcomes()[:count] {
		saved, err := f.service.Entry(ctx, f.Lead, id, o.ID)
		if err != nil {
			return err
		}
		e := f.entry(i, a.Answers[o.ID], saved.Entry)
		e.Flagged = i%6 == 5 // so that it is asked again
		if _, _, err := f.service.Save(ctx, by[i%2], id, o.ID, saved.Rev, e); err != nil {
			return err
		}
	}
	return nil
}

// entry writes an answer as somebody would who keeps notes.
func (f *filling) entry(i int, a assess.Answer, was assess.Entry) assess.Entry {
	e := assess.Entry{Level: a.Level, Target: a.Target, Evidence: a.Evidence, Assignee: was.Assignee, Note: was.Note}
	switch a.Level {
	case framework.NotApplicable:
		e.Reason = "The member has no such function; the treaty of union leaves it to its neighbour."
	case framework.Level2:
		if i%3 == 0 {
			e.Note = "The decree is in force; figures come with the next quarterly return."
		}
	case framework.Level3, framework.Level4:
		if i%2 == 0 {
			e.Note = "Figures of the spring survey of all listed bodies; the table is with the authority."
		}
	case framework.Level1:
		if i%2 == 1 {
			e.Note = "Done where people know each other. Nothing is written."
		}
	}
	if e.Target.Given() && i%2 == 0 {
		e.TargetDate = f.Now.AddDate(1, 0, 0).Format("2006") + "-06-30"
	}
	if e.Assignee == "" {
		e.Assignee = []string{f.Lead.Name, deputy}[i%2]
	}
	return e
}

// verified keeps what the verifier found about some of the answers.
func (f *filling) verified(ctx context.Context, pack *framework.Pack, id workspace.SurveyID, a *assess.Assessment) error {
	who := workspace.Person{Name: verifier, Roles: []workspace.Role{workspace.RoleVerifier}}
	for i, o := range pack.Outcomes() {
		answer := a.Answers[o.ID]
		if answer.Verified == framework.None || i%2 == 1 {
			continue
		}
		finding := assess.Finding{Outcome: o.ID, Seen: "The document with its date and signature, and two of the listed bodies.", Found: "As claimed.", Verified: answer.Verified, Claimed: answer.Level}
		if answer.Verified != answer.Level {
			finding.Found = "The figures cover fewer bodies than the list names."
		}
		if _, err := f.service.PutFinding(ctx, who, id, 0, finding); err != nil {
			return err
		}
	}
	return nil
}

// plan keeps what the member meant to do about its gaps.
func (f *filling) plan(ctx context.Context, pack *framework.Pack, id workspace.SurveyID, a *assess.Assessment) error {
	lines := []assess.Action{
		{Text: "Take the duty officers of all ministries through the night exercise", Owner: deputy, Due: f.Now.AddDate(0, 2, 0).Format(time.DateOnly), Cost: "four days of each", Funding: assess.Funded},
		{Text: "Have the list of bodies approved, and ask them for figures", Owner: headOf, Due: f.Now.AddDate(0, -2, 0).Format(time.DateOnly), Cost: "none", Funding: assess.Funded, Finished: true},
		{Text: "Buy the second line to the exchange", Owner: "Ministry of Economy", Due: f.Now.AddDate(0, -1, 0).Format(time.DateOnly), Cost: "0.4 to 0.6 million", Funding: assess.FundedInPart},
		{Nothing: true, Text: "The successor of the register comes in two years; until then the risk is carried."},
	}
	for _, o := range pack.Outcomes() {
		if len(lines) == 0 {
			break
		}
		if a.Answers[o.ID].Gap() != assess.GapBelow {
			continue
		}
		line := lines[0]
		line.Outcome, lines = o.ID, lines[1:]
		if _, err := f.service.PutAction(ctx, f.Lead, id, "", 0, line); err != nil {
			return err
		}
	}
	return nil
}

// half does the first half of the second year's work.
func (f *filling) half(ctx context.Context, pack *framework.Pack, id workspace.SurveyID, member *Member) error {
	outcomes := pack.Outcomes()
	for i, o := range outcomes[:len(outcomes)/2] {
		saved, err := f.service.Entry(ctx, f.Lead, id, o.ID)
		if err != nil {
			return err
		}
		now := member.Now.Answers[o.ID]
		switch {
		case i%5 == 4: // nobody was there yet
			continue
		case saved.Entry.Carried && saved.Entry.Level == now.Level:
			if _, err := f.service.Confirm(ctx, f.Lead, id, o.ID); err != nil {
				return err
			}
		default:
			e := f.entry(i, now, saved.Entry)
			e.Flagged = i%7 == 3
			if _, _, err := f.service.Save(ctx, workspace.Lead(deputy), id, o.ID, saved.Rev, e); err != nil {
				return err
			}
		}
	}
	if err := f.contributions(ctx, pack, id, member); err != nil {
		return err
	}
	if err := f.asked(ctx, id); err != nil {
		return err
	}
	first := outcomes[0].ID
	for _, words := range []string{"The council has moved its date; does the level still hold on the closing day?", "It does: the strategy was signed in March."} {
		if _, err := f.service.Comment(ctx, workspace.Lead(deputy), id, first, "", words); err != nil {
			return err
		}
	}
	for i, place := range []string{"shared/strategy/national-strategy-signed.pdf", "https://authority.ostmere.example/figures/spring.ods"} {
		ref := assess.Reference{Outcome: outcomes[i].ID, Place: place, Title: []string{"National strategy, signed", "Figures of the spring survey"}[i]}
		if _, err := f.service.AddReference(ctx, f.Lead, id, ref); err != nil {
			return err
		}
	}
	return nil
}

// asked gives the sections their days, one of them over, and lets two bodies say what
// they depend on.
func (f *filling) asked(ctx context.Context, id workspace.SurveyID) error {
	sections, err := f.service.Sections(ctx, f.Lead, id)
	if err != nil {
		return err
	}
	for i, section := range sections {
		section.Due = f.Now.AddDate(0, 0, 9-12*i).Format(time.DateOnly)
		if _, err := f.service.PutSection(ctx, f.Lead, id, section.Rev, section.Section); err != nil {
			return err
		}
	}
	forms := []struct {
		body string
		rows []assess.Need
	}{
		{"harbour", []assess.Need{
			{What: "Electricity", Supplier: "Ostmere Grid", Hours: 4, Known: true, Substitute: "Diesel of the terminals"},
			{What: "Terminal operating system", Supplier: "Quayline", Hours: 2, Known: true, Note: "By hand for a shift, with four times the people"},
			{What: "Pilotage", Supplier: "Ostmere Pilots", Hours: 0, Known: true},
			{What: "Customs clearance", Supplier: "Ministry of Economy", Hours: 24, Known: true, Substitute: "Paper"},
			{What: "Satellite position and time"},
		}},
		{"grid", []assess.Need{{What: "Telecommunications", Supplier: "Ostmere Line", Hours: 8, Known: true, Substitute: "Own radio"}, {What: "Spare transformers", Supplier: "Nordvolt"}}},
	}
	for _, form := range forms {
		if _, err := f.service.PutNeeds(ctx, workspace.Lead(deputy), form.body, 0, assess.Needs{Rows: form.rows}); err != nil {
			return err
		}
	}
	return nil
}

// contributions lets the bodies answer what they are asked, each about as well as the
// member, and some not yet.
func (f *filling) contributions(ctx context.Context, pack *framework.Pack, id workspace.SurveyID, member *Member) error {
	ministries := []string{"interior", "economy", "transport", "health"}
	asked := map[string][]string{"A1": ministries, "A2": ministries, "A5": ministries[:2], "A8": {"transport", "health", "grid", "harbour"}}
	for i, o := range pack.Outcomes() {
		for j, body := range asked[o.AreaID()] {
			number, given := member.Now.Answers[o.ID].Level.Number()
			if !given || (i+2*j)%13 == 12 {
				continue
			}
			more := (i + j) % 2
			if (i+3*j)%11 == 0 {
				more = -1
			}
			level, _ := framework.LevelOf(min(max(number+more, 0), 4))
			c := assess.Contribution{Body: body, Level: level}
			if (i+j)%3 == 0 {
				c.Note = "Of our own systems; two agencies below us have not answered."
			}
			if _, err := f.service.Contribute(ctx, workspace.Lead(deputy), id, o.ID, 0, c); err != nil {
				return err
			}
		}
	}
	return nil
}
