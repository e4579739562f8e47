package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// Sort is a sort of entries: those of a kind, or of them those whose fields say
// certain words.
type Sort struct {
	Kind   Kind
	Fields map[string]string
}

// String returns the sort as documents name it: "phase, to closing".
func (s Sort) String() string {
	name := string(s.Kind)
	for _, field := range slices.Sorted(maps.Keys(s.Fields)) {
		name += ", " + field + " " + s.Fields[field]
	}
	return name
}

// Has reports whether a statement is of the sort.
func (s Sort) Has(st Statement) bool {
	for field, value := range s.Fields {
		if st.Fields[field] != value {
			return false
		}
	}
	return st.Kind == s.Kind
}

// Same is what the two entries of a rule of order have in common.
type Same string

// What entries have in common.
const (
	SameCycle   Same = "cycle"
	SameCharter Same = "charter"
	SameTask    Same = "task"
	SameRelease Same = "release"
)

// After is a rule of the order of entries: each entry of Later stands behind every one
// of Earlier that has the same in common, or with First behind the first of them. Where
// Needs says how many, so many of Earlier must be there when one of Later is entered; with
// Unmarked not under a charter that is marked.
type After struct {
	Later, Earlier Sort
	Same           Same
	First          bool
	Needs          int
	Unmarked       bool
}

// Order returns the table of what comes after what within a cycle. Besides, what is
// numbered stands in the order of its numbers, and how a silence procedure ended
// stands behind the step that ended it.
func Order() []After {
	all := func(k Kind) Sort { return Sort{Kind: k} }
	to := func(p coalition.Phase) Sort { return Sort{KindPhase, map[string]string{"to": string(p)}} }
	charterAdopted := Sort{KindAdoption, map[string]string{"subject": "charter", "outcome": "adopted"}}
	editionEnded := Sort{KindAdoption, map[string]string{"subject": "edition"}}
	var table []After
	behind := func(same Same, later Sort, earlier ...Kind) {
		for _, k := range earlier {
			table = append(table, After{Later: later, Earlier: all(k), Same: same})
		}
	}
	reached := func(p coalition.Phase, later ...Kind) {
		for _, k := range later {
			table = append(table, After{Later: all(k), Earlier: to(p), Same: SameCycle, First: true, Needs: 1})
		}
	}
	behind(SameCharter, all(KindCharter), KindFramework)
	for _, k := range []Kind{KindAddendum, KindReceipt, KindRoster, KindDisagreement, KindStrike, KindAmendment, KindShare, KindRelease, KindApproval, KindEdition, KindWipe} {
		behind(SameCharter, all(k), KindCharter)
	}
	table = append(table, After{Later: to(coalition.Open), Earlier: charterAdopted, Same: SameCycle, First: true})
	reached(coalition.Closing, KindReceipt, KindRoster)
	behind(SameCharter, all(KindRoster), KindAddendum)
	behind(SameTask, all(KindRoster), KindReceipt)
	behind(SameTask, all(KindStrike), KindRoster)
	behind(SameTask, all(KindAmendment), KindRoster)
	reached(coalition.Closed, KindShare)
	behind(SameTask, all(KindShare), KindRoster, KindStrike, KindAmendment)
	reached(coalition.Aggregated, KindRelease)
	behind(SameTask, all(KindRelease), KindRoster, KindStrike, KindAmendment)
	table = append(table, After{Later: all(KindRelease), Earlier: all(KindShare), Same: SameTask, Needs: 2})
	behind(SameRelease, all(KindApproval), KindRelease)
	table = append(table, After{Later: all(KindEdition), Earlier: all(KindRelease), Same: SameRelease, Needs: 1})
	table = append(table, After{Later: all(KindEdition), Earlier: all(KindApproval), Same: SameRelease, Needs: 2, Unmarked: true})
	behind(SameRelease, editionEnded, KindRelease)
	table = append(table, After{Later: to(coalition.Released), Earlier: all(KindRelease), Same: SameCycle, First: true, Needs: 1})
	behind(SameCharter, all(KindWipe), KindAddendum, KindReceipt, KindRoster, KindStrike, KindAmendment, KindShare, KindRelease, KindApproval)
	behind(SameCycle, to(coalition.Cancelled), KindFramework, KindCharter, KindAdoption, KindAddendum, KindReceipt, KindRoster, KindDisagreement, KindStrike,
		KindAmendment, KindShare, KindRelease, KindApproval, KindEdition)
	return table
}

// Disorder is a pair of entries, by their places in a list, of which Later stands
// before Earlier and must come after it.
type Disorder struct{ Later, Earlier int }

// Disorders returns where the entries of a cycle stand in another order than the table
// has, or than that of their numbers: a pair for each rule and what it is about.
func Disorders(list []Statement, cycle string) []Disorder {
	o := newOrdered(list, cycle)
	var found []Disorder
	for _, rule := range Order() {
		earlier := o.spans(rule.Earlier, rule.Same)
		for _, s := range o.spans(rule.Later, rule.Same) {
			i := slices.IndexFunc(earlier, func(e span) bool { return e.key == s.key })
			if i < 0 {
				continue
			}
			behind := earlier[i].last
			if rule.First {
				behind = earlier[i].first
			}
			if s.first < behind {
				found = append(found, Disorder{s.first, behind})
			}
		}
	}
	return append(append(found, o.numbers()...), o.endings()...)
}

// Fits refuses statements that would stand out of order behind those that a ledger has,
// or before what they need: entered is entered, so it is said before.
func Fits(have, add []Statement, cycle string) error {
	known := make(map[string]bool, len(have))
	for _, s := range have {
		known[s.ID()] = true
	}
	list := slices.Clone(have)
	for _, s := range add {
		if !known[s.ID()] {
			list = append(list, s)
		}
	}
	for _, d := range Disorders(list, cycle) {
		earlier, later := list[d.Earlier], list[d.Later]
		switch {
		case d.Earlier < len(have), earlier.Kind == KindPhase: // a step that is late is entered all the same, so that the cycle can go on
		case d.Later < len(have):
			return errs.New(errs.Conflict, fmt.Sprintf("%s cannot be entered any more: the ledger has %s already, which comes after it", earlier.what(), later.what()),
				"what is entered cannot be taken back; say to the coalition what is missing, and why")
		default:
			return errs.New(errs.Conflict, fmt.Sprintf("%s cannot be entered before %s, which comes before it", later.what(), earlier.what()), "enter first what comes first, by a command of its own")
		}
	}
	o := newOrdered(list, cycle)
	for _, rule := range Order() {
		if rule.Needs == 0 {
			continue
		}
		earlier := o.spans(rule.Earlier, rule.Same)
		for _, s := range o.spans(rule.Later, rule.Same) {
			i := slices.IndexFunc(earlier, func(e span) bool { return e.key == s.key })
			if rule.Unmarked && o.marked(list[s.last].Charter) {
				continue
			}
			if s.last >= len(have) && (i < 0 || earlier[i].count < rule.Needs) {
				return errs.New(errs.Conflict, fmt.Sprintf("%s cannot be entered yet: it comes after %s, which the ledger does not have", list[s.last].what(), needed(rule)), rule.hint())
			}
		}
	}
	return nil
}

// what names a statement to a person.
func (s Statement) what() string {
	if s.Kind == KindPhase {
		return "the step to the phase " + s.Fields["to"]
	}
	return "the " + string(s.Kind)
}

func needed(rule After) string {
	switch {
	case rule.Earlier.Kind == KindPhase:
		return "the step to the phase " + rule.Earlier.Fields["to"]
	case rule.Earlier.Kind == KindShare:
		return "the digests of both hosts' shares"
	case rule.Earlier.Kind == KindApproval:
		return "the approvals of both hosts"
	}
	return "the " + string(rule.Earlier.Kind)
}

// hint says how to enter what a rule needs.
func (rule After) hint() string {
	switch rule.Earlier.Kind {
	case KindPhase:
		return "enter the steps up to it first, those that the ledger does not have, one by one from open on: muster ledger add --phase " + rule.Earlier.Fields["to"]
	case KindShare:
		return "enter the records of both hosts first: muster host record, then muster ledger add"
	case KindApproval:
		return "have both hosts sign the release, muster host approve, and enter it with their signatures: muster ledger add"
	case KindRelease:
		return "enter the release first: muster ledger add"
	}
	return "enter it first"
}

// Sorted returns statements that are entered together in the order of the table; where
// it says nothing they stay as they are. What is numbered takes the places that it has
// together in the order of its numbers.
func Sorted(list []Statement) []Statement {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Statement) int { return a.rank() - b.rank() })
	places := make(map[string][]int)
	for i, s := range list {
		if name, _, ok := s.numbered(); ok {
			places[name] = append(places[name], i)
		}
	}
	sorted := slices.Clone(list)
	for _, at := range places {
		together := slices.Clone(at)
		slices.SortStableFunc(together, func(x, y int) int {
			_, a, _ := list[x].numbered()
			_, b, _ := list[y].numbered()
			return a - b
		})
		for i, from := range together {
			sorted[at[i]] = list[from]
		}
	}
	return sorted
}

// numbered returns what a statement has a number among, and the number. A strike stands
// behind the amendment before its own, and before its own.
func (s Statement) numbered() (among string, number int, ok bool) {
	number = 2 * s.Number("number")
	key := []string{string(s.Kind), s.Cycle}
	switch s.Kind {
	case KindPhase:
	case KindAddendum:
		key = append(key, s.Charter)
	case KindSilence:
		key = append(key, s.Fields["procedure"])
	case KindAdoption:
		key = append(key, s.Fields["subject"], s.Fields["digest"], s.Fields["procedure"])
	case KindAmendment:
		key = []string{"", s.Cycle, s.Charter, s.Fields["task_id"]}
	case KindStrike:
		key, number = []string{"", s.Cycle, s.Charter, s.Fields["task_id"]}, 2*s.Number("amendment")-1
	default:
		return "", 0, false
	}
	return strings.Join(key, "\n"), number, true
}

// rank is where a statement stands among those that are entered together.
func (s Statement) rank() int {
	phases := map[coalition.Phase]int{
		coalition.Draft: 40, coalition.Consultation: 40, coalition.Adopted: 40, coalition.Open: 40, coalition.Postponed: 40,
		coalition.Closing: 60, coalition.Closed: 90, coalition.Aggregated: 110, coalition.Review: 130, coalition.Released: 150,
	}
	kinds := map[Kind]int{
		KindFramework: 0, KindCharter: 10, KindSilence: 20, KindAdoption: 30, KindAddendum: 50, KindReceipt: 70, KindRoster: 75, KindStrike: 80, KindAmendment: 80,
		KindDisagreement: 100, KindShare: 100, KindRelease: 120, KindApproval: 140, KindEdition: 160, KindWipe: 200,
	}
	if s.Kind == KindPhase {
		if rank, ok := phases[coalition.Phase(s.Fields["to"])]; ok {
			return rank
		}
		return 190
	}
	if s.Kind == KindAdoption && s.Fields["subject"] == "edition" {
		return 170
	}
	return kinds[s.Kind]
}

// ordered is the entries of one cycle, by their places in a list.
type ordered struct {
	list   []Statement
	places []int
	drawn  map[string]string // the digest of an edition: that of its release
}

// marked reports whether a charter is entered as one of a cycle that is marked: of its
// release nobody approves that it is published.
func (o ordered) marked(charter string) bool {
	return slices.ContainsFunc(o.places, func(place int) bool {
		s := o.list[place]
		return s.Kind == KindCharter && s.Fields["digest"] == charter && s.Fields["marking"] != ""
	})
}

func newOrdered(list []Statement, cycle string) ordered {
	o := ordered{list: list, drawn: make(map[string]string)}
	for i, s := range list {
		if s.Cycle != cycle {
			continue
		}
		o.places = append(o.places, i)
		if s.Kind == KindEdition {
			o.drawn[s.Fields["digest"]] = s.Fields["release"]
		}
	}
	return o
}

// common returns what an entry has in common with others, or nothing.
func (o ordered) common(s Statement, same Same) (string, bool) {
	switch same {
	case SameCharter:
		return s.Charter, s.Charter != ""
	case SameTask:
		return s.Charter + s.Fields["task_id"], true
	case SameRelease:
		switch s.Kind {
		case KindRelease, KindApproval:
			return s.Fields["digest"], true
		case KindEdition:
			return s.Fields["release"], true
		}
		release, ok := o.drawn[s.Fields["digest"]]
		return release, ok
	}
	return "", true
}

// span is the first and the last place of entries that have something in common.
type span struct {
	key                string
	first, last, count int
}

// spans returns those of the entries of a sort, by their first places.
func (o ordered) spans(sort Sort, same Same) []span {
	var list []span
	at := make(map[string]int)
	for _, place := range o.places {
		s := o.list[place]
		if !sort.Has(s) {
			continue
		}
		key, ok := o.common(s, same)
		if !ok {
			continue
		}
		if i, ok := at[key]; ok {
			list[i].last = place
			list[i].count++
			continue
		}
		at[key] = len(list)
		list = append(list, span{key, place, place, 1})
	}
	return list
}

// numbers returns where what is numbered does not stand in the order of its numbers.
func (o ordered) numbers() []Disorder {
	type mark struct{ place, number int }
	highest, told := make(map[string]mark), make(map[string]bool)
	var found []Disorder
	for _, place := range o.places {
		name, number, ok := o.list[place].numbered()
		if !ok {
			continue
		}
		before, ok := highest[name]
		switch {
		case !ok || number >= before.number:
			highest[name] = mark{place, number}
		case !told[name]:
			told[name] = true
			found = append(found, Disorder{before.place, place})
		}
	}
	return found
}

// endings returns entries of how a silence procedure ended that stand before the step
// that ended it.
func (o ordered) endings() []Disorder {
	var steps []int
	for _, place := range o.places {
		if o.list[place].Kind == KindSilence {
			steps = append(steps, place)
		}
	}
	slices.SortStableFunc(steps, func(a, b int) int { return o.list[a].Number("number") - o.list[b].Number("number") })
	text, ended := make(map[string]string), make(map[string]int) // by procedure; by outcome and text, and with the procedure
	for _, place := range steps {
		s := o.list[place]
		if s.Fields["text"] != "" {
			text[s.Fields["procedure"]] = s.Fields["text"]
		}
		outcome := map[string]string{"adopt": "adopted", "reopen": "reopened"}[s.Fields["act"]]
		for _, procedure := range []string{"", s.Fields["procedure"]} {
			key := procedure + outcome + text[s.Fields["procedure"]]
			if first, ok := ended[key]; outcome != "" && (!ok || place < first) {
				ended[key] = place
			}
		}
	}
	var found []Disorder
	for _, place := range o.places {
		s := o.list[place]
		if s.Kind != KindAdoption {
			continue
		}
		if step, ok := ended[s.Fields["procedure"]+s.Fields["outcome"]+s.Fields["digest"]]; ok && place < step {
			found = append(found, Disorder{place, step})
		}
	}
	return found
}
