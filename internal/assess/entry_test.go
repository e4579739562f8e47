package assess_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

func TestEntryCheck(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		entry assess.Entry
		ok    bool
	}{
		"untouched":               {assess.Entry{}, true},
		"everything":              {assess.Entry{Level: framework.Level4, Reason: "so", Target: framework.Level4, TargetDate: "2031-06-30", Evidence: framework.E3, Note: "two\nlines", Assignee: "Bo", Flagged: true}, true},
		"withheld":                {assess.Entry{Level: framework.Withheld}, true},
		"not applicable, why not": {assess.Entry{Level: framework.NotApplicable}, true}, // it may be kept; see Blockers
		"no level":                {assess.Entry{Level: 77}, false},
		"no target":               {assess.Entry{Target: framework.NotApplicable}, false},
		"no grade":                {assess.Entry{Evidence: 9}, false},
		"no day":                  {assess.Entry{TargetDate: "2031-02-29"}, false},
		"another calendar":        {assess.Entry{TargetDate: "0031-02-28"}, false},
		"a day in words":          {assess.Entry{TargetDate: "next spring"}, false},
		"longest note":            {assess.Entry{Note: strings.Repeat("a", assess.MaxNote)}, true},
		"longer note":             {assess.Entry{Note: strings.Repeat("a", assess.MaxNote+1)}, false},
		"longer reason":           {assess.Entry{Reason: strings.Repeat("a", assess.MaxReason+1)}, false},
		"longer name":             {assess.Entry{Assignee: strings.Repeat("a", assess.MaxAssignee+1)}, false},
		"a name of two lines":     {assess.Entry{Assignee: "a\nb"}, false},
		"a tab":                   {assess.Entry{Note: "a\tb"}, false},
		"not UTF-8":               {assess.Entry{Note: "a\xff"}, false},
	} {
		err := row.entry.Check()
		if (err == nil) != row.ok || err != nil && errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// drawEntry draws one of few, so that people draw the same ones.
func drawEntry(t *rapid.T, name string) assess.Entry {
	words := []string{"", "a", "b"}
	return assess.Entry{
		Level:      rapid.SampledFrom(append(assess.Levels(), framework.None)).Draw(t, name+" level"),
		Reason:     rapid.SampledFrom(words).Draw(t, name+" reason"),
		Target:     rapid.SampledFrom(assess.Targets()).Draw(t, name+" target"),
		TargetDate: rapid.SampledFrom([]string{"", "2031-01-01", "2032-01-01"}).Draw(t, name+" day"),
		Evidence:   rapid.SampledFrom(assess.Grades()).Draw(t, name+" evidence"),
		Place:      rapid.SampledFrom([]string{"", "list", "https://example.org/list"}).Draw(t, name+" place"),
		Note:       rapid.SampledFrom(words).Draw(t, name+" note"),
		Assignee:   rapid.SampledFrom(words).Draw(t, name+" assignee"),
		Flagged:    rapid.Bool().Draw(t, name+" flag"),
		Carried:    rapid.Bool().Draw(t, name+" carried"),
	}
}

// value returns what a field of an entry has, by its name and not by the code that
// merges.
func value(e assess.Entry, f assess.Field) any {
	switch f {
	case assess.FieldLevel:
		return [2]any{e.Level, e.Carried}
	case assess.FieldReason:
		return e.Reason
	case assess.FieldTarget:
		return e.Target
	case assess.FieldTargetDate:
		return e.TargetDate
	case assess.FieldEvidence:
		return e.Evidence
	case assess.FieldPlace:
		return e.Place
	case assess.FieldNote:
		return e.Note
	case assess.FieldAssignee:
		return e.Assignee
	case assess.FieldFlagged:
		return e.Flagged
	}
	panic("a field that is none: " + f)
}

// Nothing that somebody saved is lost by a merge: a field has what the one who
// changed it gave it, and where both did, differently, it is named and what was
// saved stands.
func TestMerge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base, mine, theirs := drawEntry(t, "base"), drawEntry(t, "mine"), drawEntry(t, "theirs")
		// Most people change one thing or two.
		for _, f := range assess.Fields() {
			if rapid.Bool().Draw(t, "mine keeps "+string(f)) {
				mine = assess.Take(mine, base, f)
			}
			if rapid.Bool().Draw(t, "theirs keeps "+string(f)) {
				theirs = assess.Take(theirs, base, f)
			}
		}
		merged, conflicts := assess.Merge(base, mine, theirs)
		var want []assess.Field
		for _, f := range assess.Fields() {
			b, m, th, got := value(base, f), value(mine, f), value(theirs, f), value(merged, f)
			expected := th
			switch {
			case m != b && th != b && m != th:
				want = append(want, f)
			case m != b:
				expected = m
			}
			if got != expected {
				t.Fatalf("%s: base %v, mine %v, theirs %v: merged %v", f, b, m, th, got)
			}
		}
		if !slices.Equal(conflicts, want) {
			t.Fatalf("conflicts %v, want %v", conflicts, want)
		}
		// The other way round the same are in conflict, and without one the same comes out.
		turned, again := assess.Merge(base, theirs, mine)
		if !slices.Equal(again, conflicts) || len(conflicts) == 0 && turned != merged {
			t.Fatalf("the other way round: %+v, %v", turned, again)
		}
		// What is decided has what was decided.
		if decided := assess.Take(theirs, mine, assess.Fields()...); decided != mine {
			t.Fatalf("all of mine: %+v, want %+v", decided, mine)
		}
		if changed := assess.Changed(theirs, assess.Take(theirs, mine, assess.FieldNote)); len(changed) > 1 || len(changed) == 1 && changed[0] != assess.FieldNote {
			t.Fatalf("the note of mine changes %v", changed)
		}
	})
}

// A field that no list knows would be lost by every merge.
func TestFieldsAreAll(t *testing.T) {
	t.Parallel()
	full := assess.Entry{
		Level: framework.Level1, Reason: "a", About: "2/1", Target: framework.Level2, TargetDate: "2031-01-01", Evidence: framework.E1, Place: "p", Note: "b", Assignee: "c",
		Flagged: true, Carried: true,
	}
	if got := assess.Take(assess.Entry{}, full, assess.Fields()...); got != full {
		t.Errorf("all fields of %+v are %+v", full, got)
	}
	if diff := cmp.Diff(assess.Fields(), assess.Changed(assess.Entry{}, full)); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
}

// The roll-up is what the pack's text says, read by hand: "the highest one that at
// least 80 % of the listed bodies reach; the lowest level among them is shown beside
// it. With fewer than five on the list, 80 % means all of them. Whoever gives no
// level counts as 0; a body to which the outcome rightly does not apply is left out."
func TestRollUp(t *testing.T) {
	t.Parallel()
	rule := framework.RollUp{Rule: framework.ShareOfScope, Percent: 80}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 23).Draw(t, "bodies")
		var contributions []assess.Contribution
		var counted []int
		want := assess.Proposal{Level: framework.None, Lowest: framework.None}
		for i := range n {
			body := fmt.Sprintf("b%02d", i)
			level := rapid.SampledFrom(append(assess.Levels(), framework.None)).Draw(t, body)
			reason := rapid.SampledFrom([]string{"", "no coast"}).Draw(t, "reason")
			carried := level != framework.None && rapid.IntRange(0, 9).Draw(t, "carried") == 0
			contributions = append(contributions, assess.Contribution{Body: body, Level: level, Reason: reason, Note: "x", Carried: carried})
			if level == framework.NotApplicable && reason == "" {
				level = framework.None // it is not given without a reason
			}
			if carried {
				want.Waiting = append(want.Waiting, body)
			}
			switch level {
			case framework.NotApplicable:
				want.Exempt = append(want.Exempt, body)
			case framework.None, framework.Withheld:
				want.Silent = append(want.Silent, body)
				counted = append(counted, 0)
			default:
				number, _ := level.Number()
				counted = append(counted, number)
			}
		}
		want.Of = len(counted)
		if n > 0 && len(counted) == 0 {
			want.Level = framework.NotApplicable
		}
		if len(counted) > 0 {
			want.Lowest, _ = framework.LevelOf(slices.Min(counted))
			for level := range 5 {
				reach := 0
				for _, c := range counted {
					if c >= level {
						reach++
					}
				}
				enough := float64(reach)/float64(len(counted)) >= 0.8
				if len(counted) < 5 {
					enough = reach == len(counted)
				}
				if enough { // each level includes the one below, so the last is the highest
					want.Level, _ = framework.LevelOf(level)
					want.Reached = reach
				}
			}
		}
		if len(want.Waiting) > 0 { // neither what it says nor 0: nothing, until it is confirmed
			want = assess.Proposal{Level: framework.None, Lowest: framework.None, Asked: n, Waiting: want.Waiting}
		}
		got := assess.RollUp(rule, contributions)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", counted, diff)
		}
	})
}

func TestBlockers(t *testing.T) {
	t.Parallel()
	pack := packOf(1)
	id := pack.Outcomes()[0].ID
	waiting := &assess.Proposal{Level: framework.None, Lowest: framework.None, Waiting: []string{"grid", "port"}, Asked: 3}
	for name, row := range map[string]struct {
		entry    *assess.Entry
		proposal *assess.Proposal
		want     []assess.Blocker
	}{
		"untouched":                       {nil, nil, []assess.Blocker{{Kind: assess.BlockerUnanswered, Outcome: id}}},
		"a note only":                     {&assess.Entry{Note: "x"}, nil, []assess.Blocker{{Kind: assess.BlockerUnanswered, Outcome: id}}},
		"carried over":                    {&assess.Entry{Level: framework.Level2, Carried: true}, nil, []assess.Blocker{{Kind: assess.BlockerCarried, Outcome: id}}},
		"answered":                        {&assess.Entry{Level: framework.Level2}, nil, nil},
		"withheld":                        {&assess.Entry{Level: framework.Withheld}, nil, nil},
		"not applicable":                  {&assess.Entry{Level: framework.NotApplicable}, nil, []assess.Blocker{{Kind: assess.BlockerReason, Outcome: id}}},
		"not applicable, and why":         {&assess.Entry{Level: framework.NotApplicable, Reason: "no coast"}, nil, nil},
		"a 4 without evidence":            {&assess.Entry{Level: framework.Level4}, nil, nil}, // warned of, and allowed
		"as proposed":                     {&assess.Entry{Level: framework.Level2}, &assess.Proposal{Level: framework.Level2}, nil},
		"not as proposed":                 {&assess.Entry{Level: framework.Level3}, &assess.Proposal{Level: framework.Level2}, []assess.Blocker{{Kind: assess.BlockerProposal, Outcome: id, Detail: "2"}}},
		"not as proposed, and why":        {&assess.Entry{Level: framework.Level3, Reason: "they are small", About: "2/1"}, &assess.Proposal{Level: framework.Level2, Lowest: framework.Level1}, nil},
		"another is proposed by now":      {&assess.Entry{Level: framework.Level3, Reason: "they are small", About: "1/1"}, &assess.Proposal{Level: framework.Level2, Lowest: framework.Level1}, []assess.Blocker{{Kind: assess.BlockerAnew, Outcome: id, Detail: "2"}}},
		"another is the lowest by now":    {&assess.Entry{Level: framework.Level3, Reason: "they are small", About: "2/2"}, &assess.Proposal{Level: framework.Level2, Lowest: framework.Level1}, []assess.Blocker{{Kind: assess.BlockerAnew, Outcome: id, Detail: "2"}}},
		"a reason about nothing proposed": {&assess.Entry{Level: framework.NotApplicable, Reason: "no coast"}, &assess.Proposal{Level: framework.Level2, Lowest: framework.Level1}, []assess.Blocker{{Kind: assess.BlockerAnew, Outcome: id, Detail: "2"}}},
		"withheld where one is proposed":  {&assess.Entry{Level: framework.Withheld}, &assess.Proposal{Level: framework.Level2}, nil},
		"applies to none, answered":       {&assess.Entry{Level: framework.Level1}, &assess.Proposal{Level: framework.NotApplicable}, []assess.Blocker{{Kind: assess.BlockerProposal, Outcome: id, Detail: "na"}}},
		"decided without a body":          {&assess.Entry{Level: framework.Level1}, waiting, []assess.Blocker{{Kind: assess.BlockerWaiting, Outcome: id, Detail: "grid, port"}}},
		"a reason about something else":   {&assess.Entry{Level: framework.Level1, Reason: "they are small", About: "2/1"}, waiting, []assess.Blocker{{Kind: assess.BlockerWaiting, Outcome: id, Detail: "grid, port"}}},
		"a reason about other bodies":     {&assess.Entry{Level: framework.Level1, Reason: "they are small", About: assess.Proposal{Waiting: []string{"grid", "quay"}}.Mark()}, waiting, []assess.Blocker{{Kind: assess.BlockerWaiting, Outcome: id, Detail: "grid, port"}}},
		"decided without, and why":        {&assess.Entry{Level: framework.Level1, Reason: "they are small", About: waiting.Mark()}, waiting, nil},
		"withheld without a body":         {&assess.Entry{Level: framework.Withheld}, waiting, nil},
		"nothing proposed":                {&assess.Entry{Level: framework.Level1}, &assess.Proposal{Level: framework.None}, nil},
		"a target that cannot be":         {&assess.Entry{Level: framework.Level1, Target: framework.Withheld}, nil, []assess.Blocker{{Kind: assess.BlockerImpossible, Outcome: id, Detail: `"withheld" cannot be a target`}}},
		"unanswered and a wrong evidence": {&assess.Entry{Evidence: 9}, nil, []assess.Blocker{{Kind: assess.BlockerUnanswered, Outcome: id}, {Kind: assess.BlockerImpossible, Outcome: id, Detail: `"framework.Grade(9)" cannot be an evidence grade`}}},
	} {
		entries, proposals := map[string]assess.Entry{"Z9.9": {Level: 99}}, map[string]assess.Proposal{}
		if row.entry != nil {
			entries[id] = *row.entry
		}
		if row.proposal != nil {
			proposals[id] = *row.proposal
		}
		if diff := cmp.Diff(row.want, assess.Blockers(pack, entries, proposals, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What was verified blocks where the answer has another level by now.
func TestVerifiedBlocker(t *testing.T) {
	t.Parallel()
	pack := packOf(1)
	id := pack.Outcomes()[0].ID
	for name, row := range map[string]struct {
		entry   assess.Entry
		finding assess.Finding
		blocks  bool
	}{
		"the same level":     {assess.Entry{Level: framework.Level2}, assess.Finding{Claimed: framework.Level2, Verified: framework.Level1}, false},
		"another level":      {assess.Entry{Level: framework.Level3}, assess.Finding{Claimed: framework.Level2, Verified: framework.Level2}, true},
		"back to that level": {assess.Entry{Level: framework.Level2, Note: "again"}, assess.Finding{Claimed: framework.Level2, Verified: framework.Level2}, false},
		"nothing verified":   {assess.Entry{Level: framework.Level3}, assess.Finding{Claimed: framework.Level2, Seen: "a list"}, false},
	} {
		got := assess.Blockers(pack, map[string]assess.Entry{id: row.entry}, nil, map[string]assess.Finding{id: row.finding})
		var want []assess.Blocker
		if row.blocks {
			want = []assess.Blocker{{Kind: assess.BlockerVerified, Outcome: id, Detail: "2"}}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	pack := packOf(2, 3)
	outcomes := pack.Outcomes()
	got := assess.ProgressOf(outcomes, map[string]assess.Entry{
		outcomes[0].ID: {Level: framework.Level0},
		outcomes[1].ID: {Level: framework.Level2, Carried: true},
		outcomes[2].ID: {Note: "later"},
		outcomes[3].ID: {Level: framework.Withheld},
		"Z9.9":         {Level: framework.Level1},
	})
	if want := (assess.Progress{Answered: 2, Carried: 1, Of: 5}); got != want || got.Open() != 3 {
		t.Errorf("%+v, open %d; want %+v", got, got.Open(), want)
	}
}

func TestSignOff(t *testing.T) {
	t.Parallel()
	const one, two = "digest one", "digest two"
	chain := []assess.Step{{ID: "expert", Name: "The expert"}, {ID: "head", Name: "The head"}, {ID: "minister", Name: "The minister"}}
	yes := func(step, digest string) assess.Decision {
		return assess.Decision{Step: step, Digest: digest, Approved: true, At: time.Unix(1, 0)}
	}
	no := func(step, digest string) assess.Decision {
		return assess.Decision{Step: step, Digest: digest, Reason: "no"}
	}
	for name, row := range map[string]struct {
		decisions []assess.Decision
		waits     string // for digest one; empty: for nobody
		returned  bool
	}{
		"nothing":                   {nil, "The expert", false},
		"the first":                 {[]assess.Decision{yes("expert", one)}, "The head", false},
		"all":                       {[]assess.Decision{yes("expert", one), yes("head", one), yes("minister", one)}, "", false},
		"of another":                {[]assess.Decision{yes("expert", two), yes("head", two), yes("minister", two)}, "The expert", false},
		"returned at the end":       {[]assess.Decision{yes("expert", one), yes("head", one), no("minister", one)}, "The expert", true},
		"returned, and approved":    {[]assess.Decision{yes("expert", one), no("head", one), yes("expert", one)}, "The head", false},
		"another was returned":      {[]assess.Decision{yes("expert", one), no("expert", two)}, "The head", false},
		"out of its turn":           {[]assess.Decision{yes("minister", one)}, "The expert", false},
		"undone and done again":     {[]assess.Decision{yes("expert", one), yes("expert", two), yes("head", one), yes("minister", one)}, "", false},
		"a step that is none":       {[]assess.Decision{yes("council", one)}, "The expert", false},
		"one approves twice":        {[]assess.Decision{yes("expert", one), yes("expert", one)}, "The head", false},
		"returned by the very last": {[]assess.Decision{yes("expert", one), yes("head", one), yes("minister", one), no("minister", one)}, "The expert", true},
	} {
		so := assess.SignOff{Chain: chain, Decisions: row.decisions}
		b, blocked := so.Blocker(one)
		if blocked != (row.waits != "") || b.Detail != row.waits || blocked && b.Kind != assess.BlockerSignOff {
			t.Errorf("%s: waits for %q (%v), want %q", name, b.Detail, blocked, row.waits)
		}
		if _, returned := so.Returned(one); returned != row.returned {
			t.Errorf("%s: returned %v", name, returned)
		}
	}
	if _, blocked := (assess.SignOff{}).Blocker(one); blocked {
		t.Error("nobody signs off, and somebody is waited for")
	}

	so := assess.SignOff{Chain: chain}
	for _, bad := range []struct {
		d    assess.Decision
		kind errs.Kind
	}{
		{yes("head", one), errs.Conflict},
		{yes("council", one), errs.Conflict},
		{assess.Decision{Step: "expert", Digest: one}, errs.Invalid},
	} {
		if _, err := so.Decide(bad.d); errs.KindOf(err) != bad.kind {
			t.Errorf("%+v: %v", bad.d, err)
		}
	}
	for _, step := range chain {
		before := so
		var err error
		d := yes(step.ID, one)
		d.By = "who is the " + step.ID
		if so, err = so.Decide(d); err != nil {
			t.Fatal(err)
		}
		if len(before.Decisions)+1 != len(so.Decisions) {
			t.Error("a decision changes what was before")
		}
	}
	if _, err := so.Decide(yes("expert", one)); errs.KindOf(err) != errs.Conflict {
		t.Errorf("after all: %v", err)
	}
	// Who has approved may think better of it, and who has not had it may not.
	back, err := so.Decide(no("head", one))
	if err != nil {
		t.Fatal(err)
	}
	if step, _ := back.Next(one); step.ID != "expert" {
		t.Errorf("after a return it is the turn of %q", step.ID)
	}
	if _, err := (assess.SignOff{Chain: chain}).Decide(no("head", one)); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a return by who has not had it: %v", err)
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	pack := packOf(5, 2)
	o := pack.Outcomes()
	e := func(level framework.Level, grade framework.Grade) assess.Entry {
		return assess.Entry{Level: level, Evidence: grade}
	}
	now := map[string]assess.Entry{
		o[0].ID: e(framework.Level4, framework.E1), // unproven 6, high 3, unchecked 1
		o[1].ID: e(framework.Level2, framework.E1), // rose 4, unchecked 1
		o[2].ID: {Level: framework.Level1, Flagged: true},
		o[3].ID: e(framework.Level4, framework.E3), // high 3; was verified
		o[4].ID: {Level: framework.Level2, Carried: true, Flagged: true},
		o[5].ID: e(framework.Level1, framework.E1),
		o[6].ID: {Level: framework.Withheld, Flagged: true},
	}
	before := map[string]assess.Entry{o[1].ID: e(framework.Level0, framework.E1), o[0].ID: e(framework.Level3, framework.E1), o[5].ID: e(framework.Level0, framework.E1)}
	proposals := map[string]assess.Proposal{o[5].ID: {Level: framework.Level1}, o[2].ID: {Level: framework.Level0}}
	findings := map[string]assess.Finding{o[3].ID: {Verified: framework.Level4}, o[0].ID: {Verified: framework.None}}
	all := []assess.Pick{
		{Outcome: o[0].ID, Why: []assess.Why{assess.WhyUnproven, assess.WhyHigh, assess.WhyUnchecked}},
		{Outcome: o[1].ID, Why: []assess.Why{assess.WhyRose, assess.WhyUnchecked}},
		{Outcome: o[2].ID, Why: []assess.Why{assess.WhyDiffers, assess.WhyFlagged, assess.WhyUnchecked}},
		{Outcome: o[3].ID, Why: []assess.Why{assess.WhyHigh}},
		{Outcome: o[5].ID, Why: []assess.Why{assess.WhyUnchecked}},
	}
	alone := assess.Pick{Outcome: o[5].ID, Why: []assess.Why{assess.WhyUnchecked, assess.WhyAreaAlone}}
	for name, row := range map[string]struct {
		size int
		want []assess.Pick
	}{
		"none":            {0, nil},
		"less than none":  {-3, nil},
		"one":             {1, []assess.Pick{all[0], alone}},
		"two":             {2, []assess.Pick{all[0], all[2], alone}},
		"three":           {3, []assess.Pick{all[0], all[1], all[2], alone}},
		"all that can be": {99, all},
	} {
		got := assess.Sample(pack, now, before, proposals, findings, map[string]int{o[0].ID: 1, o[3].ID: 2}, row.size)
		if diff := cmp.Diff(row.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A 3 or 4 of which nothing says where its evidence lies weighs as much as one that rose.
func TestSampleUnnamed(t *testing.T) {
	t.Parallel()
	pack := packOf(3)
	now := make(map[string]assess.Entry)
	for _, o := range pack.Outcomes() {
		now[o.ID] = assess.Entry{Level: framework.Level3, Evidence: framework.E2}
	}
	o := pack.Outcomes()
	got := assess.Sample(pack, now, nil, nil, nil, map[string]int{o[0].ID: 1, o[2].ID: 3}, 1)
	want := []assess.Pick{{Outcome: o[1].ID, Why: []assess.Why{assess.WhyUnnamed, assess.WhyUnchecked}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sample (-want +got):\n%s", diff)
	}
}

func TestAction(t *testing.T) {
	t.Parallel()
	good := assess.Action{Outcome: "A1.1", Text: "count them", Owner: "Bo", Due: "2032-06-30", Cost: "two posts", Funding: assess.Funded}
	edit := func(fn func(*assess.Action)) assess.Action {
		a := good
		fn(&a)
		return a
	}
	for name, row := range map[string]struct {
		a  assess.Action
		ok bool
	}{
		"good":                 {good, true},
		"no day":               {edit(func(a *assess.Action) { a.Due = "" }), true},
		"nothing, with reason": {assess.Action{Nothing: true, Text: "it is enough"}, true},
		"nothing, without":     {assess.Action{Nothing: true}, false},
		"no words":             {edit(func(a *assess.Action) { a.Text = "" }), false},
		"no owner":             {edit(func(a *assess.Action) { a.Owner = "" }), false},
		"no such day":          {edit(func(a *assess.Action) { a.Due = "2032-06-31" }), false},
		"no such funding":      {edit(func(a *assess.Action) { a.Funding = "perhaps" }), false},
		"too long":             {edit(func(a *assess.Action) { a.Text = strings.Repeat("a", assess.MaxNote+1) }), false},
		"does not print":       {edit(func(a *assess.Action) { a.Cost = "\x00" }), false},
	} {
		if err := row.a.Check(); (err == nil) != row.ok || err != nil && errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
