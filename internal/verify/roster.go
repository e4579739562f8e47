package verify

import (
	"slices"
	"strconv"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
)

// receipts holds the entries of receipts to the roster's entry, and where the roster
// is here to the roster, whose they are.
func (a *auditor) receipts(c *cycle, t *task) {
	rosters := a.ofTask(c, ledger.KindRoster, t)
	list := a.ofTask(c, ledger.KindReceipt, t)
	if len(rosters) == 0 {
		if len(list) > 0 {
			a.fails(StepReceipts, a.place(list[0].number), nil, "receipts_early", t.cohort.ID)
		} else {
			a.unchecked(StepReceipts, "receipts_none", t.cohort.ID)
		}
		return
	}
	t.roster = &rosters[0]
	if err := ledger.CheckReceipts(t.roster.Statement, statements(list)); err != nil {
		a.fails(StepReceipts, a.place(t.roster.number), err, "receipts_wrong", t.cohort.ID)
		return
	}
	a.holds(StepReceipts, "receipts", len(list), t.cohort.ID)
	body, ok := a.b.Signed(t.roster.Statement)
	if !ok {
		a.unchecked(StepReceipts, "receipts_whose", t.cohort.ID)
		return
	}
	roster, err := coalition.ParseRoster(body.Body, t.ID)
	if err != nil {
		return // the roster's step names it
	}
	opener := ledger.NewOpener(body.Body)
	byName := make(map[string]entry, len(list))
	for _, e := range list {
		byName[e.Fields["member"]] = e
	}
	for _, r := range roster.Entries {
		e, ok := byName[opener.Pseudonym(r.Member)]
		if !ok {
			a.fails(StepReceipts, a.place(t.roster.number), nil, "receipt_dropped", string(r.Member))
			return
		}
		if e.Fields["receipt"] != opener.Receipt(r.Member, r.Receipt) {
			a.fails(StepReceipts, a.place(e.number), nil, "receipt_swapped", string(r.Member))
			return
		}
	}
	a.holds(StepReceipts, "receipts_opened", len(roster.Entries), t.cohort.ID)
	a.receiptFiles(t, roster)
}

// receiptFiles checks the receipts themselves, where the reader was admitted to them.
func (a *auditor) receiptFiles(t *task, roster coalition.Roster) {
	files, ok := a.b.Receipts[t.ID.String()]
	if !ok {
		a.unchecked(StepReceipts, "receipts_files", t.cohort.ID)
		return
	}
	name := "receipts/" + t.ID.String() + ".jsonl"
	wrong := ledger.Each(a.cfg.Attack.Workers, len(files), func(i int) error {
		r, err := files[i].Open(t.ID, t.key)
		if err == nil && (r.Member != roster.Entries[i].Member || r.Report != roster.Entries[i].Report || r.Sequence != roster.Entries[i].Sequence) {
			err = errs.New(errs.Invalid, "the receipt is of another submission than the roster counts", "")
		}
		return err
	})
	for i, err := range wrong {
		if err != nil {
			a.fails(StepReceipts, name+"#"+strconv.Itoa(i+1), err, "receipt_unsigned", string(roster.Entries[i].Member))
			return
		}
	}
	a.holds(StepReceipts, "receipts_signed", len(files), t.cohort.ID)
}

// roster checks the list of whose submissions count, and what was struck from it.
func (a *auditor) roster(c *cycle, t *task) {
	if t.roster == nil {
		return
	}
	submissions := t.roster.Number("submissions")
	t.count, t.digest = submissions, t.roster.Fields["digest"]
	if n := len(t.cohort.Members); submissions > n {
		a.fails(StepRoster, a.place(t.roster.number), nil, "roster_many", submissions, n, t.cohort.ID)
		return
	}
	amendments := a.ofTask(c, ledger.KindAmendment, t)
	slices.SortFunc(amendments, func(x, y entry) int { return x.Number("number") - y.Number("number") })
	strikes := a.ofTask(c, ledger.KindStrike, t)
	struck := 0
	for i, e := range amendments {
		own := slices.DeleteFunc(slices.Clone(strikes), func(s entry) bool { return s.Fields["amendment"] != e.Fields["number"] })
		err := ledger.CheckStrikes(e.Statement, statements(own))
		if err == nil && (e.Number("number") != i+1 || e.Fields["roster"] != t.roster.Fields["digest"]) {
			err = errs.New(errs.Invalid, "the amendment does not follow from the roster and those before it", "")
		}
		if err != nil {
			a.fails(StepRoster, a.place(e.number), err, "amendment_wrong", i+1, t.cohort.ID)
			return
		}
		struck += len(own)
		t.digest = e.Fields["digest"]
	}
	if struck != len(strikes) {
		a.fails(StepRoster, a.place(strikes[len(strikes)-1].number), nil, "strikes_more", t.cohort.ID)
		return
	}
	t.count = submissions - struck
	a.rosterFile(c, t, amendments, strikes)
	if t.count < t.cohort.MinimumBatch {
		a.unchecked(StepRoster, "roster_few", t.count, t.cohort.MinimumBatch, t.cohort.ID)
		return
	}
	a.holds(StepRoster, "roster", submissions, struck, len(t.cohort.Members), t.cohort.MinimumBatch, t.cohort.ID)
}

// rosterFile opens roster and amendments, where they are here, and holds the entries
// to them.
func (a *auditor) rosterFile(c *cycle, t *task, amendments, strikes []entry) {
	frozen := coalition.FrozenRoster{}
	body, ok := a.b.Signed(t.roster.Statement)
	frozen.Roster = coalition.SignedRoster(body)
	for _, e := range amendments {
		file, there := a.b.Signed(e.Statement)
		ok = ok && there
		frozen.Amendments = append(frozen.Amendments, coalition.SignedAmendment(file))
	}
	if !ok {
		a.unchecked(StepRoster, "roster_absent", t.cohort.ID)
		return
	}
	place := file(t.roster.Fields["digest"])
	roster, err := frozen.Open(t.ID, c.charter.Leader.Key, c.charter.Helper.Key)
	if err != nil {
		a.fails(StepRoster, place, err, "roster_wrong", t.cohort.ID)
		return
	}
	full, err := coalition.ParseRoster(frozen.Roster.Body, t.ID)
	switch {
	case err != nil:
		a.fails(StepRoster, place, err, "roster_wrong", t.cohort.ID)
		return
	case len(full.Entries) != t.roster.Number("submissions"):
		a.fails(StepRoster, place, nil, "roster_count", len(full.Entries), t.roster.Number("submissions"), t.cohort.ID)
		return
	}
	var members []coalition.MemberID
	for _, e := range full.Entries {
		if _, ok := t.key(e.Member); !ok {
			a.fails(StepRoster, place, nil, "roster_stranger", string(e.Member), t.cohort.ID)
			return
		}
	}
	for _, e := range roster.Entries {
		members = append(members, e.Member)
	}
	if err := a.strikes(t, frozen, strikes); err != nil {
		a.fails(StepRoster, place, err, "amendment_wrong", len(amendments), t.cohort.ID)
		return
	}
	t.frozen, t.members = &frozen, members
	a.holds(StepRoster, "roster_opened", t.cohort.ID)
}

// strikes holds the entries of strikes to the amendments, member by member.
func (a *auditor) strikes(t *task, frozen coalition.FrozenRoster, strikes []entry) error {
	opener := ledger.NewOpener(frozen.Roster.Body)
	want := make(map[string]bool)
	for i, signed := range frozen.Amendments {
		amendment, err := coalition.ParseAmendment(signed.Body, t.ID, frozen.Roster, frozen.Amendments[:i])
		if err != nil {
			return err
		}
		for _, s := range amendment.Struck {
			want[strconv.Itoa(i+1)+" "+opener.Pseudonym(s.Member)+" "+s.Reason] = true
		}
	}
	for _, e := range strikes {
		if !want[e.Fields["amendment"]+" "+e.Fields["member"]+" "+e.Fields["reason"]] {
			return errs.New(errs.Invalid, "the ledger has a strike that is in no amendment", "")
		}
	}
	if len(want) != len(strikes) {
		return errs.New(errs.Invalid, "the ledger has not every strike of the amendments", "")
	}
	return nil
}

// shares looks for the digests of both hosts' encrypted shares.
func (a *auditor) shares(c *cycle, t *task) {
	have := a.ofTask(c, ledger.KindShare, t)
	released := len(a.ofTask(c, ledger.KindRelease, t)) > 0
	switch {
	case len(have) > 0 && t.roster != nil && t.count < t.cohort.MinimumBatch:
		a.fails(StepShares, a.place(have[0].number), nil, "shares_few", t.count, t.cohort.MinimumBatch, len(have), t.cohort.ID)
	case len(have) == 2:
		a.holds(StepShares, "shares", t.cohort.ID)
	case released:
		a.fails(StepShares, "", nil, "shares_missing", len(have), t.cohort.ID)
	case len(have) == 1:
		a.unchecked(StepShares, "shares_one", t.cohort.ID)
	case t.roster != nil:
		a.unchecked(StepShares, "shares_none", t.cohort.ID)
	}
	if c.by != nil && len(have) > 0 && len(a.of(c.by, ledger.KindShare)) > 0 {
		a.fails(StepShares, a.place(have[0].number), nil, "shares_both", t.cohort.ID)
	}
	for _, e := range a.ofTask(c, ledger.KindDisagreement, t) {
		a.holds(StepRoster, "disagreement", t.cohort.ID, e.number)
	}
}

// own looks for the submissions of a member whose receipts the reader brought, and says
// something of each.
func (a *auditor) own() {
	for i, signed := range a.cfg.Receipts {
		if !a.ownReceipt(i+1, signed) {
			a.unchecked(StepReceipts, "own_nowhere", i+1)
		}
	}
}

// ownReceipt looks for one. A receipt is its member's own word, and hosts do not sign
// what they acknowledge: that another submission counts accuses nobody.
func (a *auditor) ownReceipt(number int, signed coalition.SignedReceipt) (found bool) {
	for _, c := range a.cycles {
		for j := range c.tasks {
			t := &c.tasks[j]
			if r, err := signed.Open(t.ID, t.key); err == nil {
				a.under(c, func() { a.ownSubmission(t, number, r, signed.Digest()) })
				return true
			}
		}
	}
	return false
}

func (a *auditor) ownSubmission(t *task, number int, r coalition.Receipt, digest string) {
	if t.roster == nil {
		a.unchecked(StepReceipts, "own_early", number)
		return
	}
	if t.frozen == nil {
		a.unchecked(StepReceipts, "own_roster", number)
		return
	}
	full, err := coalition.ParseRoster(t.frozen.Roster.Body, t.ID)
	if err != nil {
		return // it was opened before
	}
	place := file(t.roster.Fields["digest"])
	i := slices.IndexFunc(full.Entries, func(e coalition.RosterEntry) bool { return e.Member == r.Member })
	switch {
	case i < 0:
		a.add(StepReceipts, Unchecked, place, "", "own_missing", string(r.Member))
	case full.Entries[i].Receipt == digest && slices.Contains(t.members, r.Member):
		a.holds(StepReceipts, "own_counts", string(r.Member), int(r.Sequence))
	case full.Entries[i].Receipt == digest:
		a.holds(StepReceipts, "own_struck", string(r.Member), int(r.Sequence))
	case full.Entries[i].Sequence > r.Sequence:
		a.unchecked(StepReceipts, "own_later", string(r.Member), int(full.Entries[i].Sequence), int(r.Sequence))
	default:
		a.add(StepReceipts, Unchecked, place, "", "own_other", string(r.Member), int(full.Entries[i].Sequence), int(r.Sequence))
	}
}
